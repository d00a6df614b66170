// Greedy tokens of a model folder by transformers.js, over its own runtime or over Octavo's. Usage: node child.mjs JSON
//   { transformers, octavo?, folder, model, dtype, text, count }     transformers: its entry file; octavo: that of octavo/register
const { transformers, octavo, folder, model: name, dtype, text, count } = JSON.parse(process.argv[2])
if (octavo) await import(octavo)
const { AutoModelForCausalLM, AutoTokenizer, env } = await import(transformers)
env.localModelPath = folder
env.allowRemoteModels = false
const tokenizer = await AutoTokenizer.from_pretrained(name)
const model = await AutoModelForCausalLM.from_pretrained(name, { dtype, device: octavo ? 'auto' : 'cpu' })
const output = await model.generate({ ...tokenizer(text), max_new_tokens: count, do_sample: false })
await model.dispose()
process.stdout.write(JSON.stringify(output.tolist()[0].map(Number)), () => process.exit(0))
