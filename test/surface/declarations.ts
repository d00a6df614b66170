/** What the walk asks of a declaration by its syntax alone. */
import ts from 'typescript'

export function overloaded(declarations: readonly ts.Declaration[]): boolean {
  return declarations.some((d) => ts.isFunctionDeclaration(d) && !d.body)
}

export function isHidden(member: ts.Declaration): boolean {
  const flags = ts.getCombinedModifierFlags(member)
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) return true
  const name = ts.getNameOfDeclaration(member)
  return (name !== undefined && ts.isPrivateIdentifier(name)) || ts.isClassStaticBlockDeclaration(member)
}

/** The body after its overloads, and the setter beside its getter: what an editor does not show. */
export function isSecond(member: ts.Declaration, all: readonly ts.Declaration[]): boolean {
  const same = all.filter(
    (m) => m !== member && nameOf(m) === nameOf(member) && isStatic(m) === isStatic(member),
  )
  if (ts.isSetAccessor(member)) return same.some(ts.isGetAccessor)
  if (!ts.isMethodDeclaration(member) && !ts.isConstructorDeclaration(member)) return false
  return member.body !== undefined && same.length > 0
}

function isStatic(member: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0
}

export function nameOf(member: ts.Declaration): string {
  if (ts.isConstructorDeclaration(member) || ts.isConstructSignatureDeclaration(member)) return 'constructor'
  if (ts.isIndexSignatureDeclaration(member)) return '[index]'
  return ts.getNameOfDeclaration(member)?.getText() ?? '(call)'
}

export function nameNode(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName
  if (ts.isTypeQueryNode(node)) return node.exprName
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined
}

export function isPick(node: ts.Node): node is ts.TypeReferenceNode | ts.ExpressionWithTypeArguments {
  return nameNode(node)?.getText() === 'Pick'
}

/** `keyof T`: words, not what T is. */
export function isKeyOf(node: ts.Node): boolean {
  return ts.isTypeOperatorNode(node) && node.operator === ts.SyntaxKind.KeyOfKeyword
}

/** The strings of a union of literal types. */
export function literals(node: ts.TypeNode): string[] {
  if (ts.isUnionTypeNode(node)) return node.types.flatMap(literals)
  return ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal) ? [node.literal.text] : []
}
