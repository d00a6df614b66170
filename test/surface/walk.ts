/**
 * The public surface of the package as the TypeScript checker sees it: every exported name, every member of it, and
 * every type of the library that these mention. Read from lib/, so that no build is needed.
 */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { type Comment, commentOf, headOf } from './comment.js'
import {
  isHidden,
  isKeyOf,
  isPick,
  isSecond,
  literals,
  nameNode,
  nameOf,
  overloaded,
} from './declarations.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Entry points of package.json, as the files of lib/ that they are compiled from. */
export const ENTRIES: Readonly<Record<string, string>> = {
  octavo: `${root}lib/index.ts`,
  'octavo/register': `${root}lib/register.ts`,
}

export interface PublicName {
  /** `InferenceSession.run`; of an entry point its specifier. */
  readonly name: string
  /** Relative to the folder of the package. */
  readonly file: string
  readonly line: number
  readonly comment: Comment | undefined
}

interface ProgramOptions {
  /** Lends the files that it has parsed. */
  readonly old?: ts.Program
  /** Files besides the extra ones. Default: the entry points. */
  readonly roots?: readonly string[]
}

/** A program over the entry points and `extra` files (path to text), with the names of the package mapped to lib/. */
export function programOf(
  extra: ReadonlyMap<string, string> = new Map(),
  { old, roots = Object.values(ENTRIES) }: ProgramOptions = {},
): ts.Program {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config
  const paths = Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, [file]]))
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, rootDir: '.', paths },
    root,
  )
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => extra.has(file) || fileExists(file)
  host.readFile = (file) => extra.get(file) ?? readFile(file)
  host.getSourceFile = (file, version, ...rest) => {
    const text = extra.get(file)
    return text === undefined
      ? getSourceFile(file, version, ...rest)
      : ts.createSourceFile(file, text, version, true)
  }
  return ts.createProgram([...roots, ...extra.keys()], { ...options, noEmit: true }, host, old)
}

/** All names of the surface, in the order in which they are reached. Entry points: specifier to file. */
export function publicNames(program: ts.Program, entries = ENTRIES): PublicName[] {
  const walk = new Walk(program.getTypeChecker())
  for (const [name, file] of Object.entries(entries)) {
    const source = program.getSourceFile(file)
    if (!source) throw new Error(`${file} is not part of the program`)
    walk.entry(name, source)
  }
  return walk.names
}

class Walk {
  readonly names: PublicName[] = []
  private readonly seen = new Set<ts.Symbol | ts.Node>()

  constructor(private readonly checker: ts.TypeChecker) {}

  entry(name: string, source: ts.SourceFile): void {
    this.record(name, source, headOf(source))
    const module = this.checker.getSymbolAtLocation(source)
    for (const symbol of module ? this.checker.getExportsOfModule(module) : []) this.symbol(symbol)
  }

  private record(name: string, node: ts.Node, comment = commentOf(node)): void {
    const source = node.getSourceFile()
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    const file = relative(root, source.fileName)
    this.names.push({ name, file, line: line + 1, comment })
  }

  private symbol(given: ts.Symbol, owner = ''): void {
    const symbol = given.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(given) : given
    if (this.seen.has(symbol)) return
    this.seen.add(symbol)
    const declarations = (symbol.declarations ?? []).filter(isOurs)
    // The names of a class that a namespace adds to are those of the class.
    for (const d of declarations) this.declaration(`${owner}${symbol.name}`, d, overloaded(declarations))
  }

  private declaration(name: string, node: ts.Declaration, hasOverloads: boolean): void {
    if (ts.isTypeParameterDeclaration(node)) return
    if (ts.isModuleDeclaration(node)) {
      const module = this.checker.getSymbolAtLocation(node.name)
      this.record(`namespace ${name}`, node)
      for (const s of module ? this.checker.getExportsOfModule(module) : []) this.inNamespace(s, name, node)
      return
    }
    if (ts.isFunctionDeclaration(node) && hasOverloads && node.body) return
    this.record(name, node)
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      for (const { types } of node.heritageClauses ?? []) for (const t of types) this.types(t, name)
      this.members(node.members, name)
    } else if (ts.isFunctionLike(node)) this.signature(node, name)
    else if (ts.isTypeAliasDeclaration(node)) this.types(node.type, name)
    else if (ts.isVariableDeclaration(node)) this.annotation(node, node.type, name)
  }

  private inNamespace(symbol: ts.Symbol, owner: string, module: ts.ModuleDeclaration): void {
    const within = symbol.declarations?.some((d) => d.pos > module.pos && d.end <= module.end)
    if (within) this.symbol(symbol, `${owner}.`)
  }

  private members(members: readonly ts.Declaration[], owner: string): void {
    for (const member of members) {
      if (isHidden(member) || isSecond(member, members)) continue
      const name = `${owner}.${nameOf(member)}`
      this.record(name, member)
      if (ts.isFunctionLike(member)) this.signature(member, name)
      else if (ts.isPropertyDeclaration(member) || ts.isPropertySignature(member))
        this.annotation(member, member.type, name)
    }
  }

  private signature(node: ts.SignatureDeclaration, owner: string): void {
    for (const parameter of node.parameters) {
      if (ts.isParameterPropertyDeclaration(parameter, node) && !isHidden(parameter)) {
        this.record(`${owner}.${parameter.name.getText()}`, parameter)
      }
      if (parameter.type) this.types(parameter.type, owner)
    }
    for (const { constraint } of node.typeParameters ?? []) if (constraint) this.types(constraint, owner)
    if (node.type) this.types(node.type, owner)
  }

  /** Follows the type that is written, or where none is the inferred one. */
  private annotation(node: ts.Node, type: ts.TypeNode | undefined, owner: string): void {
    const { symbol, aliasSymbol = symbol } = this.checker.getTypeAtLocation(node)
    if (type) this.types(type, owner)
    else if (aliasSymbol) this.symbol(aliasSymbol)
  }

  /** Every type of the library in a type as it is written. */
  private types(node: ts.Node, owner: string): void {
    if (this.seen.has(node)) return
    this.seen.add(node)
    if (ts.isTypeLiteralNode(node)) this.members(node.members, owner)
    else if (ts.isIndexedAccessTypeNode(node) && literals(node.indexType).length > 0) {
      this.picked(node.objectType, literals(node.indexType), undefined)
    } else if (isPick(node)) {
      const [from, keys] = node.typeArguments as unknown as [ts.TypeNode, ts.TypeNode]
      this.picked(from, literals(keys), owner)
    } else if (!isKeyOf(node)) {
      const name = nameNode(node)
      const symbol = name && this.checker.getSymbolAtLocation(name)
      if (symbol) this.symbol(symbol)
      ts.forEachChild(node, (child) => this.types(child, owner))
    }
  }

  /** Some members of a type: their types, and with `owner` the members themselves as its own. */
  private picked(from: ts.TypeNode, keys: readonly string[], owner: string | undefined): void {
    const type = this.checker.getTypeFromTypeNode(from)
    for (const key of keys) {
      for (const d of type.getProperty(key)?.declarations?.filter(isOurs) ?? []) {
        if (owner !== undefined) this.members([d], owner)
        else if (ts.isPropertySignature(d) && d.type) this.types(d.type, key)
      }
    }
  }
}

function isOurs(node: ts.Node): boolean {
  return node.getSourceFile().fileName.startsWith(`${root}lib/`)
}
