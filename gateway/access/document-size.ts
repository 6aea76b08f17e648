// The size of a document by its tokens alone, before it is parsed: recursive functions, here and in the libraries, process it later.
import { Lexer, Source, TokenKind } from 'graphql';
import { CodedError } from '../../platform/errors/errors.ts';

/** Limit of brackets in a document, and of lists and objects in variables: far more than any input of a graph needs. */
export const mostNesting = 64;
const opening: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Returns the number of tokens, as far as the text is GraphQL. Throws LIMIT_EXCEEDED. */
export function checkSize(text: string, maxTokens: number, isAnonymous: boolean): number {
  let [depth, tokens] = [0, 0];
  try {
    for (const kind of tokenKinds(text)) {
      tokens += 1;
      if (opening.has(kind)) depth += 1;
      else if (closing.has(kind)) depth -= 1;
      if (depth > mostNesting || tokens > maxTokens) break;
    }
  } catch {
    // Not GraphQL, so the parser reports the position.
  }
  if (depth > mostNesting) throw tooMuch('nesting of brackets', `more than ${mostNesting}`, mostNesting);
  if (tokens <= maxTokens) return tokens;
  if (!isAnonymous) throw tooMuch('tokens', `more than ${maxTokens}`, maxTokens);
  throw new CodedError(
    'LIMIT_EXCEEDED',
    `Without a login, a document may have at most ${maxTokens} tokens. Log in first, or send a smaller document.`,
    { limit: 'tokens without a login', most: maxTokens },
  );
}

export function* tokenKinds(text: string): Generator<TokenKind> {
  const lexer = new Lexer(new Source(text));
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) yield token.kind;
}

export function tooMuch(limit: string, asked: number | string, most: number): CodedError {
  return new CodedError(
    'LIMIT_EXCEEDED',
    `The operation has ${limit} ${asked}; at most ${most} is allowed. Split it.`,
    { limit, most, ...(typeof asked === 'number' ? { requested: asked } : {}) },
  );
}
