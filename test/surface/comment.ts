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
  const statement = ts.isJSDoc(comment) ? comment.parent : node
  const between = source.text.slice(comment.end, statement.getStart(source))
  if (between.split('\n').length > 2) return undefined
  const text = ts.getTextOfJSDocComment(comment.comment)?.trim() ?? ''
  if (text === '') return undefined
  const tags = comment.tags ?? []
  return {
    text,
    tags: (name) =>
      tags
        .filter((tag) => tag.tagName.text === name)
        .map((tag) =>
          source.text
            .slice(tag.tagName.end, tag.end)
            .replace(/^\s*\* ?/gm, '')
            .trim(),
        ),
  }
}
