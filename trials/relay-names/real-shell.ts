// Passes calls to a real shell, like sshd does, with recorders in place of the programs that they run: arguments and standard
// input of each are recorded, separated by NULs. In a separate mount namespace, with a PATH of a few harmless programs. In: a
// folder per call; a call's command and standard input. Out: the recording, the output, and every file in the folder afterwards.
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../embedded/run-program.ts';

export interface ShellCall {
  readonly command: string;
  readonly stdin: string;
  /** Existing files, by path in the call's folder; a path that ends with `/` is a folder. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Invocation {
  readonly program: string;
  readonly argv: readonly string[];
  readonly stdin: string;
}

export interface ShellReply {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly invocations: readonly Invocation[];
  /** The files in the call's folder, with their texts, without those of this harness. */
  readonly files: Readonly<Record<string, string>>;
}

const recorders = ['ovsdb-client', 'apache2ctl'];
const programs = [
  ...[
    'cat',
    'tail',
    'touch',
    'flock',
    'mv',
    'rm',
    'cp',
    'sed',
    'mktemp',
    'sleep',
    'sh',
    'dpkg-query',
    'ln',
    'grep',
    'sha256sum',
  ],
] as const;
const own = ['in', 'out', 'err', 'code', 'pid', 'record'];
const timeoutMs = 300_000;

/** No argument contains a NUL. `record` in the call's folder gets program, number of arguments, each argument, standard input. */
const recorder = `#!/bin/sh
{ printf '%s\\0' "\${0##*/}" "$#" "$@"; cat; printf '\\0'; } >>"$RECORD"
`;

/**
 * \`$1\`: the command; \`$2\`, \`$3\`: the first and the last call. The call uses its own shell as Apache, which has a new child at each check.
 */
const runner = `
[ ! -d /etc/apache2 ] || mount -t tmpfs none /etc/apache2 || exit 1
PATH=$0/bin; export PATH
number=$2
while [ "$number" -le "$3" ]; do
  cd "$0/$number" || exit 1
  RECORD=$0/$number/record APACHE_PID_FILE=$0/$number/pid sh -c 'echo $$ >pid; exec sh -c "$1"' sh "$1" <in >out 2>err
  echo $? >code
  number=$((number + 1))
done`;

/** `folder` is empty, and its path has no special characters. */
export async function prepareShell(folder: string): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const name of recorders) {
    await writeFile(join(bin, name), recorder);
    await chmod(join(bin, name), 0o755);
  }
  for (const name of programs) {
    const [found] = (await runProgram('sh', ['-c', `command -v ${name}`])).stdout.split('\n');
    if (found !== undefined && found !== '') await symlink(found, join(bin, name));
  }
}

/** Runs calls of one command after the other; their folders are removed afterwards. */
export async function runInShell(
  folder: string,
  calls: readonly ShellCall[],
  first: number,
): Promise<readonly ShellReply[]> {
  const [{ command } = { command: '' }] = calls;
  for (const [index, call] of calls.entries()) await prepare(join(folder, String(first + index)), call);
  const args = [folder, command, String(first), String(first + calls.length - 1)];
  const done = await runProgram('unshare', ['--mount', '--', '/bin/sh', '-c', runner, ...args], { timeoutMs });
  if (done.exitCode !== 0) throw new Error(`the shell was not run: ${done.stderr.slice(0, 500)}`);
  const replies: ShellReply[] = [];
  for (const index of calls.keys()) {
    const path = join(folder, String(first + index));
    replies.push(await read(path));
    await rm(path, { recursive: true });
  }
  return replies;
}

async function prepare(path: string, { stdin, files = {} }: ShellCall): Promise<void> {
  await mkdir(path);
  await writeFile(join(path, 'in'), stdin);
  for (const [name, text] of Object.entries(files)) {
    if (name.endsWith('/')) await mkdir(join(path, name), { recursive: true });
    else {
      await mkdir(join(path, name, '..'), { recursive: true });
      await writeFile(join(path, name), text);
    }
  }
}

async function read(path: string): Promise<ShellReply> {
  const text = (name: string) => readFile(join(path, name), 'utf8').catch(() => '');
  const files: [string, string][] = [];
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const name = join(entry.parentPath, entry.name).slice(path.length + 1);
    if (entry.isFile() && !own.includes(name)) files.push([name, await text(name)]);
  }
  return {
    exitCode: Number(await text('code')),
    stdout: await text('out'),
    stderr: await text('err'),
    invocations: invocationsIn(await text('record')),
    files: Object.fromEntries(files.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function invocationsIn(record: string): Invocation[] {
  const parts = record.split('\0');
  parts.pop();
  const invocations: Invocation[] = [];
  while (parts.length > 0) {
    const [program = '', count = '', ...rest] = parts;
    const argv = rest.slice(0, Number(count));
    invocations.push({ program, argv, stdin: rest[argv.length] ?? '' });
    parts.splice(0, 3 + argv.length);
  }
  return invocations;
}
