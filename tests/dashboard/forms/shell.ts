// Carries out the shell text of a form without a shell: the files that it writes, and one command with its words and
// standard input.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The arguments of `tidegate`. `folder`: the folder of the files. Piped input is also a file. Each secret's file
 * contains its own name.
 */
export async function argumentsOf(
  text: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  let rest = text.replaceAll(/^# .*\n/gm, '');
  const written = /^cat > (\S+) <<'END'\n(.*?)^END\n/ms.exec(rest);
  if (written !== null) {
    await writeFile(join(folder, written[1] ?? ''), written[2] ?? '');
    rest = rest.slice(written[0].length);
  }
  const piped = /^(.*?) - <<'END'\n(.*)^END\n$/ms.exec(rest);
  const words = wordsOf(piped?.[1] ?? rest, env);
  const args = words.slice(1).map((word) => (/^[a-z0-9-]+\.(txt|pem|yaml)$/.test(word) ? join(folder, word) : word));
  for (const word of words.filter((each) => /^[a-z0-9-]+\.(txt|pem)$/.test(each)))
    await writeFile(join(folder, word), `content of ${word}\n`);
  if (piped === null) return args;
  const operation = join(folder, 'operation.graphql');
  await writeFile(operation, piped[2] ?? '');
  return [...args, operation];
}

function wordsOf(line: string, env: Readonly<Record<string, string>>): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const pattern = /'([^']*)'|"\$(\w+)"|\\(\n|.)|(\s)|([^\s'"\\]+)/gs;
  for (const [, single, variable, escaped, space, plain] of line.matchAll(pattern)) {
    if (space !== undefined || escaped === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + (single ?? escaped ?? plain ?? env[variable ?? ''] ?? '');
  }
  return word === undefined ? words : [...words, word];
}
