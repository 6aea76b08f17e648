// docs/errors.md, made from the registry of codes: node schema/errors-doc.ts > docs/errors.md
import { topLevelCodes, userErrorCodes } from '../platform/errors.ts';

const retryInWords = {
  SAME_KEY: 'Send the same request again, same idempotency key',
  NEW_KEY: 'Mend the input, new idempotency key',
  NEVER: 'No retry helps: a person has to look',
} as const;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The whole document. */
export function errorsDocument(): string {
  const userErrors = Object.entries(userErrorCodes).map(([code, { retry, meaning }]) => [
    `\`${code}\``,
    retryInWords[retry],
    meaning,
  ]);
  const topLevel = Object.entries(topLevelCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return `<!-- Made by schema/errors-doc.ts from platform/errors.ts: change it there. -->
# Error codes

## userErrors

Refused, and nothing happened. Each entry has \`code\`, \`message\`, \`field\` (the path of the input field at fault),
\`retry\` and, where known, \`retryAfterMs\`. What a device said, or an outcome that is not known, is no user error: see
\`operation.state\` and \`operation.deviceError\`.

${table(['Code', 'Retry', 'Meaning'], userErrors)}

## Top-level errors

In \`errors[].extensions.code\`: no login, a part that is lost, a limit, a bug. With HTTP in front of it, a mutation that
ended in one of these may or may not have been carried out: send it again with the same idempotency key.

${table(['Code', 'Meaning'], topLevel)}
`;
}

if (import.meta.main) process.stdout.write(errorsDocument());
