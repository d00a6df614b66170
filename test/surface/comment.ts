/** The doc comment of a declaration, as editors show it. */
import ts from 'typescript'

export interface Comment {
  /** What stands before the first tag. */
  readonly text: string
  /** The texts of all tags of a name, `@` left out. */
  tags(name: string): readonly string[]
}

/** The comment that ends on the line above `node`; a file's head, which an empty line follows, is not one. */
export function commentOf(node: ts.Node): Comment | undefined {
  const comment = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)
  if (!comment) return undefined
  const source = node.getSourceFile()
  const between = source.text.slice(comment.end, comment.parent.getStart(source))
  return between.split('\n').length > 2 ? undefined : read(comment)
}

/** The comment at the start of a file, which an empty line follows: so it stays in the .d.ts where imports do not. */
export function headOf(source: ts.SourceFile): Comment | undefined {
  const [first] = source.statements
  const comment = first && ts.getJSDocCommentsAndTags(first).find(ts.isJSDoc)
  return comment && /^\r?\n\r?\n/.test(source.text.slice(comment.end)) ? read(comment) : undefined
}

function read(comment: ts.JSDoc): Comment | undefined {
  const text = ts.getTextOfJSDocComment(comment.comment)?.trim() ?? ''
  if (text === '') return undefined
  const source = comment.getSourceFile()
  const tags = comment.tags ?? []
  const textOf = (tag: ts.JSDocTag) => source.text.slice(tag.tagName.end, tag.end)
  return {
    text,
    tags: (name) =>
      tags
        .filter((tag) => tag.tagName.text === name)
        .map((tag) =>
          textOf(tag)
            .replace(/^\s*\* ?/gm, '')
            .trim(),
        ),
  }
}
