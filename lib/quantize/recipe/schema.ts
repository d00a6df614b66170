/** The JSON Schema of a recipe file, made of the table of fields. */
import { activationFields, type Field, recipeFields, weightFields } from './fields.js'
import { PRESET_NAMES, presets } from './presets.js'

type Schema = Readonly<Record<string, unknown>>

const pattern: Schema = {
  description: 'A regular expression of JavaScript that a name contains.',
  oneOf: [
    { type: 'string' },
    object({ pattern: { type: 'string' }, flags: { type: 'string', default: '' } }, ['pattern']),
  ],
}

/** JSON Schema, draft 2020-12. */
export function recipeSchema(): Schema {
  const rule = object(
    {
      match: {
        ...object({
          opType: text('The type of operator, such as Conv, in the prepared model.', { minLength: 1 }),
          node: text('The exact name of a node.', { minLength: 1 }),
          pattern,
        }),
        description: 'The nodes that fulfil all that is given.',
        minProperties: 1,
      },
      weights: fields(weightFields, 'For the weights of these nodes.', false),
      activations: activations('For the values that these nodes make.', false),
      exclude: { type: 'boolean', description: 'Whether these nodes stay in float.' },
    },
    ['match'],
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Octavo recipe',
    description: 'Every choice of a quantization: defaults, then rules for some nodes; the later rule wins.',
    ...object({
      $schema: text('The address of this schema.'),
      preset: {
        enum: PRESET_NAMES,
        description: `Settings that go together. ${PRESET_NAMES.map((name) => `${name}: ${presets[name].text}.`).join(' ')}`,
      },
      weights: fields(weightFields, 'Of all weights that no rule is for.', true),
      activations: activations('Of all values that no rule is for.', true),
      exclude: {
        type: 'array',
        description: 'Nodes that stay in float: exact names, or patterns.',
        items: { oneOf: [{ type: 'string' }, (pattern.oneOf as Schema[])[1]] },
        default: [],
      },
      rules: {
        type: 'array',
        description: 'Settings for some nodes; the later rule wins.',
        items: rule,
        default: [],
      },
      ...properties(recipeFields, true),
    }),
  }
}

function object(properties: Schema, required: readonly string[] = []): Schema {
  const needs = required.length > 0 ? { required } : {}
  return { type: 'object', properties, ...needs, additionalProperties: false }
}

function text(description: string, rest: Schema = {}): Schema {
  return { type: 'string', description, ...rest }
}

function fields(table: Readonly<Record<string, Field>>, description: string, defaults: boolean): Schema {
  return { ...object(properties(table, defaults)), description }
}

/** An object of settings, or the type alone. */
function activations(description: string, defaults: boolean): Schema {
  const { description: _, ...whole } = fields(activationFields, description, defaults)
  return { description, oneOf: [{ enum: activationFields.type.choices }, whole] }
}

function properties(table: Readonly<Record<string, Field>>, defaults: boolean): Schema {
  return Object.fromEntries(Object.entries(table).map(([key, field]) => [key, property(field, defaults)]))
}

function property(field: Field, defaults: boolean): Schema {
  const description = `${field.text[0]?.toUpperCase()}${field.text.slice(1)}.`
  const rest = defaults ? { description, default: field.default } : { description }
  switch (field.kind) {
    case 'choice':
      return { enum: field.choices, ...rest }
    case 'boolean':
      return { type: 'boolean', ...rest }
    case 'number': {
      const most = field.most === undefined ? {} : { maximum: field.most }
      return { type: 'number', exclusiveMinimum: field.above, ...most, ...rest }
    }
    case 'integer':
      return { type: 'integer', minimum: field.least, maximum: field.most, ...rest }
    case 'levels': {
      const integer = { type: 'integer' }
      const bounds = object({ qmin: integer, qmax: integer }, ['qmin', 'qmax'])
      return { oneOf: [{ enum: field.presets }, bounds], ...rest }
    }
  }
}
