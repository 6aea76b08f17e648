// The command lines of `tidegate` on a page of Markdown, in words: those of blocks for a shell, and those between backticks in a text.

export interface CommandLine {
  /** After `tidegate`, up to what ends the command in a shell. `$NAME` and `$(…)` stay. */
  readonly words: readonly string[];
  /** Of the page. */
  readonly line: number;
  /** From a block: it can be pasted. In a text, values may be left out or be names in capitals. */
  readonly isBlock: boolean;
}

const start = /(?<![\w./-])(?:bin\/)?tidegate (?=[a-z-])/g;
/** The words that may precede a command in a shell. After any other word it is an argument. */
const before = /(?:^|[;|&({$]|^[A-Z_]+=\S*|^(?:do|then|if|while|until|exec|sudo|time|!|--))$/;
const fence = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```/gm;

export function commandLines(page: string): readonly CommandLine[] {
  const found: CommandLine[] = [];
  const lineAt = (index: number) => page.slice(0, index).split('\n').length;
  const text = page.replaceAll(fence, (block, _indent: string, language: string, body: string, at: number) => {
    if (/^(sh|shell|bash|console|)$/.test(language))
      for (const { index, words } of commandsIn(body.replaceAll(/\\\n/g, '  ')))
        found.push({ words, line: lineAt(at + block.indexOf(body) + index), isBlock: true });
    return block.replaceAll(/[^\n]/g, ' ');
  });
  for (const match of text.matchAll(/`([^`\n]+)`/g)) {
    const [, code = ''] = match;
    for (const { words } of commandsIn(code)) found.push({ words, line: lineAt(match.index), isBlock: false });
  }
  return found;
}

function commandsIn(text: string): readonly { readonly index: number; readonly words: readonly string[] }[] {
  const commented = text.replaceAll(/(^|\n)\s*# [^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '));
  return [...commented.matchAll(start)].flatMap(({ 0: match, index }) => {
    const [previous = ''] = /\S*$/.exec(commented.slice(0, index).replace(/ +$/, '')) ?? [];
    const isCommand = match.startsWith('bin/') || before.test(previous);
    return isCommand ? [{ index, words: wordsOf(commented.slice(index + match.length)) }] : [];
  });
}

/** Up to the end of the command: the end of the line, a separator, a redirection or a comment outside of quotes. */
function wordsOf(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  const add = (part: string) => {
    word = (word ?? '') + part;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const char = rest.charAt(0);
    if (/[\n;&|)<>`]/.test(char) || (char === '#' && word === undefined)) break;
    if (char === ' ') {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    const part =
      /^'[^']*'/.exec(rest)?.[0] ??
      /^"(?:\\[\s\S]|\$\([^)]*\)|[^"\\])*"/.exec(rest)?.[0] ??
      /^\$(?:\([^)]*\)|\{[^}]*\})/.exec(rest)?.[0];
    if (part === undefined) add(char);
    else add(/^['"]/.test(part) ? part.slice(1, -1) : part);
    at += part?.length ?? 1;
  }
  if (word !== undefined) words.push(word);
  return words;
}
