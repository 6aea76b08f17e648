// docs/errors.md, made from the registry of codes: node schema/errors-doc.ts > docs/errors.md
import {
  type SocketClose,
  socketCloses,
  type TopLevelCode,
  topLevelCodes,
  type UserErrorCode,
  userErrorCodes,
} from '../platform/errors/errors.ts';

const retryInWords = {
  SAME_KEY: 'Same key',
  SAME_KEY_AFTER_ACTION: 'Same key, once a person has acted',
  NEW_KEY: 'Correct the input, new key',
  NEVER: 'Ask a person',
} as const;

/** Codes for which "nothing" does not say enough about the device. */
const deviceByUserError: Readonly<Partial<Record<UserErrorCode, string>>> = {
  KEY_CONFLICT: 'nothing now; the first request with the key may have reached it',
  IN_PROGRESS: 'nothing now; the request under way may reach it',
  UNSETTLED_PREDECESSOR: 'nothing now; the earlier call may have happened',
  OBJECT_BUSY: 'nothing now; the other call is under way',
  QUIET_PERIOD: 'nothing now; the call in question may still take effect',
  REPLAY_UNCERTAIN: 'nothing now; an earlier request with the key may have reached it',
};

/** For relaying mutations: what to do, and whether the device got the call. Null: only queries and subscriptions get this code. */
const topLevelContract: Readonly<Record<TopLevelCode, { readonly next: string; readonly device: string } | null>> = {
  UNAUTHENTICATED: { next: 'Log in, then same key', device: 'nothing' },
  FORBIDDEN: { next: retryInWords.NEVER, device: 'nothing' },
  INVALID_CURSOR: null,
  CURSOR_EXPIRED: null,
  RESYNC_REQUIRED: null,
  SCHEMA_CHANGED: null,
  GRAPH_REFUSED: null,
  NOT_CONFIGURED: null,
  INVALID_INPUT: { next: retryInWords.NEW_KEY, device: 'nothing' },
  PERSISTED_QUERY_NOT_FOUND: { next: 'Same key, with the text as `query`', device: 'nothing' },
  NOT_PUBLISHED: { next: retryInWords.SAME_KEY_AFTER_ACTION, device: 'nothing' },
  LIMIT_EXCEEDED: { next: retryInWords.NEW_KEY, device: 'nothing' },
  RATE_LIMITED: { next: retryInWords.SAME_KEY, device: 'nothing' },
  SUBGRAPH_UNAVAILABLE: { next: retryInWords.SAME_KEY, device: 'not known: repeat with the same key to find out' },
  // Of a field beside the mutation's own, or of its answer.
  INVALID_SUBGRAPH_ANSWER: {
    next: 'Ask a person',
    device: 'not known: repeat with the same key to find out',
  },
  NOT_PLANNED: { next: retryInWords.NEW_KEY, device: 'nothing' },
  BUSY: { next: retryInWords.SAME_KEY, device: 'not known: repeat with the same key to find out' },
  UNAVAILABLE: { next: retryInWords.SAME_KEY, device: 'not known: repeat with the same key to find out' },
  DISK_FULL: { next: retryInWords.SAME_KEY, device: 'not known: repeat with the same key to find out' },
  OUTCOME_UNCERTAIN: { next: retryInWords.SAME_KEY, device: 'not known: repeat with the same key to find out' },
  OUTCOME_NOT_RECORDED: {
    next: retryInWords.SAME_KEY,
    device: 'the call was sent: `extensions.outcome` has its outcome',
  },
  OUTCOME_NOT_READ: {
    next: retryInWords.SAME_KEY,
    device: 'the call was sent, or will be: the operation in `extensions.outcome` tells',
  },
  INTERNAL: {
    next: 'Same key; if it persists, ask a person',
    device: 'not known: repeat with the same key to find out',
  },
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The whole document. */
export function errorsDocument(): string {
  const userErrors = (Object.entries(userErrorCodes) as [UserErrorCode, (typeof userErrorCodes)[UserErrorCode]][]).map(
    ([code, { retry, meaning }]) => [`\`${code}\``, retryInWords[retry], deviceByUserError[code] ?? 'nothing', meaning],
  );
  const topLevel = (Object.entries(topLevelCodes) as [TopLevelCode, string][]).map(([code, meaning]) => {
    const contract = topLevelContract[code];
    return [`\`${code}\``, contract?.next ?? '–', contract?.device ?? '–', meaning];
  });
  const closes = Object.values<SocketClose>(socketCloses).map(({ code, reason, error }) => [
    `\`${code}\``,
    reason,
    error === undefined ? '–' : `\`${error}\``,
  ]);
  return `<!-- Made by schema/errors-doc.ts from platform/errors/errors.ts: change it there. -->
# Error codes

"Same key" means: send the same request again with the same idempotency key, after \`retryAfterMs\` if it is given. "New key" means:
send a new request. The rules beyond single codes are in [retries.md](retries.md).

## userErrors

The request was refused and had no effect. Each entry has \`code\`, \`message\`, \`field\` (the path of the
input field at fault), \`retry\` and, where known, \`retryAfterMs\`. A refusal by the device, or an unknown outcome, is not a user error:
see \`operation.state\` and \`operation.deviceError\`.

${table(['Code', 'What to do', 'On the device', 'Meaning'], userErrors)}

## Top-level errors

These codes are in \`errors[].extensions.code\`: no login, an unavailable part, a limit, a bug. If a mutation gets no response, or one that is
not GraphQL, treat it like \`SUBGRAPH_UNAVAILABLE\`. Codes that begin with \`GRAPHQL_\` or \`BAD_\` mean that the document or its variables
are wrong; nothing was done. A query that a rule of the mutations refuses has the code of the table above, such as \`PROJECT_REQUIRED\`, and the
argument in \`extensions.field\`.

An answer may have both data and errors. After the loss of a subgraph its fields are null, each with an error that has the field's
\`path\` and the subgraph's name in \`extensions.subgraph\`; the fields of all others are there. Fields with \`@semanticNonNull\` in
[the graph](../schema/api.graphql) are null only with such an error.

${table(['Code', 'What to do after a mutation', 'On the device', 'Meaning'], topLevel)}

## Closed sockets

The gateway closes a graphql-ws socket with one of these codes, or another one of the protocol. The reason of the close has the words of this table,
except with 1009. An event stream in the same situation ends with an error that has them and the code in the last column. Except
after \`FORBIDDEN\`, a subscription goes on without a gap after the last cursor. A mutation that was under way on the socket may have been carried out: send it again with
the same key. A client can avoid 4419: it sends a fresh access token of its session in a ping
(\`{"type":"ping","payload":{"authorization":"Bearer …"}}\`), and the pong says when that one expires (\`accessTokenExpiresAt\`).

${table(['Code', 'Reason', 'Error of an event stream'], closes)}
`;
}

if (import.meta.main) process.stdout.write(errorsDocument());
