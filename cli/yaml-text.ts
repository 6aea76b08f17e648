// Values as YAML for a terminal and for files. Text with characters that a terminal would execute, or that hide or reorder others, is quoted, because
// YAML allows escapes only in quotes.
import { type CreateNodeOptions, Document, type DocumentOptions, Scalar, type SchemaOptions, visit } from 'yaml';
import { isVisible, visible } from './visible.ts';

type Options = DocumentOptions & SchemaOptions & CreateNodeOptions;

/** `comment`: written after the document. */
export function yamlText(
  value: unknown,
  { comment, ...options }: Options & { readonly comment?: string } = {},
): string {
  const document = new Document(value, { ...options, aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && !isVisible(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  if (comment !== undefined) document.comment = comment;
  return visible(document.toString({ lineWidth: 0 }));
}
