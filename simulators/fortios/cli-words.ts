// How FortiOS parses a line: words, quotes, backslashes. Source: FortiOS CLI reference 6.0, chapters "Command syntax" and "Tips":
// a quoted string may continue on the next line, a backslash makes the next character an ordinary one.

type Line =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** A quote is open, or the line ends with a backslash: more follows. */
  | { readonly kind: 'open' };

export function readWords(text: string): Line {
  if (text.trimStart().startsWith('#')) return { kind: 'words', words: [] };
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\' && quote !== "'") {
      index += 1;
      if (index >= text.length) return { kind: 'open' };
      word = (word ?? '') + (text[index] ?? '');
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') return { kind: 'open' };
  if (word !== undefined) words.push(word);
  return { kind: 'words', words };
}

/** A string in the format of `show`. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
