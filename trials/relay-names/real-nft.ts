// Passes calls to a real nft, in a network namespace that exists only for it: each batch is checked (`nft -c`) and then executed,
// and nft's echo must match its input. In: rendered calls. Each is sent byte by byte as the driver made it, among others. Must
// hold: no two calls of a batch use the same table.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../embedded/run-program.ts';
import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import type { JsonObject, JsonValue } from '../../subgraphs/relay/drivers/driver.ts';
import { prerequisites } from './devices/nft.ts';
import type { Rendering } from './offer.ts';
import type { RealFigures } from './real.ts';

/** nft echoes over a netlink socket with a small buffer, so this many calls are safe. */
const batchCalls = 100;
const timeoutMs = 300_000;

/** `$1`: the command of the check, `$2`: of the write; batches are in the working folder. */
const script = `
for batch in *.json; do
  nft flush ruleset
  sh -c "$1" <"$batch" >"$batch.checked" 2>&1; echo $? >"$batch.check"
  sh -c "$2" <"$batch" >"$batch.echo" 2>"$batch.errors"; echo $? >"$batch.write"
done`;

export async function askRealNft(renderings: readonly Rendering[], folder: string): Promise<RealFigures> {
  const batches = batchesOf(renderings);
  for (const [index, batch] of batches.entries()) await writeFile(join(folder, `${index}.json`), textOf(batch));
  const shell = `cd "$0" || exit 1${script}`;
  const commands = ['nft -c -j -f -', 'nft -j -e -a -f -'];
  const done = await runProgram('unshare', ['--net', '--', 'sh', '-c', shell, folder, ...commands], { timeoutMs });
  const findings: string[] = [];
  if (done.exitCode !== 0) findings.push(`nft was not run: ${done.stderr.slice(0, 500)}`);
  for (const [index, batch] of batches.entries()) findings.push(...(await judge(join(folder, `${index}.json`), batch)));
  return { calls: renderings.length, wrong: findings.length, findings };
}

function batchesOf(renderings: readonly Rendering[]): Rendering[][] {
  const batches: { calls: Rendering[]; tables: Set<string> }[] = [];
  for (const rendering of renderings) {
    const table = String(rendering.args.table);
    let batch = batches.find(({ calls, tables }) => calls.length < batchCalls && !tables.has(table));
    if (batch === undefined) {
      batch = { calls: [], tables: new Set() };
      batches.push(batch);
    }
    batch.calls.push(rendering);
    batch.tables.add(table);
  }
  return batches.map(({ calls }) => calls);
}

const opening = '{"nftables":[';
const closing = ']}\n';

/** The commands of a call, unchanged. */
function commandsText({ call }: Rendering): string {
  const stdin = call.kind === 'exec' ? (call.stdin ?? '') : '';
  if (!stdin.startsWith(opening) || !stdin.endsWith(closing)) throw new Error('no batch of nft');
  return stdin.slice(opening.length, -closing.length);
}

function textOf(batch: readonly Rendering[]): string {
  const parts = batch.flatMap((rendering) => [
    ...prerequisites(rendering.operation.name, rendering.args).map((command) => JSON.stringify(command)),
    commandsText(rendering),
  ]);
  return `${opening}${parts.join(',')}${closing}`;
}

async function judge(path: string, batch: readonly Rendering[]): Promise<string[]> {
  const file = async (suffix: string) => (await readFile(`${path}.${suffix}`, 'utf8').catch(() => '')).trim();
  if ((await file('check')) !== '0') return [`nft -c refused: ${(await file('checked')).slice(0, 500)}`];
  if ((await file('write')) !== '0') return [`nft refused: ${(await file('errors')).slice(0, 500)}`];
  const echoed = (JSON.parse(await file('echo')) as { nftables: JsonValue[] }).nftables;
  const told = (JSON.parse(textOf(batch)) as { nftables: JsonValue[] }).nftables;
  if (echoed.length !== told.length) return [`nft was told ${told.length} commands and echoed ${echoed.length}`];
  return told.flatMap((command, index) =>
    isWithin(command, echoed[index])
      ? []
      : [`nft was told ${JSON.stringify(command)} and echoed ${JSON.stringify(echoed[index])}`],
  );
}

/** Whether nft's echo contains everything in `told`. The echo also has handles and other additions. */
export function isWithin(told: JsonValue, echoed: JsonValue | undefined): boolean {
  if (typeof told === 'string' && typeof echoed === 'string') return sameText(told, echoed);
  if (typeof told !== 'object' || told === null) return told === echoed;
  if (typeof echoed !== 'object' || echoed === null) return false;
  if (Array.isArray(told)) {
    return (
      Array.isArray(echoed) &&
      echoed.length === told.length &&
      told.every((each, index) => isWithin(each, echoed[index]))
    );
  }
  const [one, other] = [told as JsonObject, echoed as JsonObject];
  return Object.entries(one).every(([name, each]) => each !== undefined && isWithin(each, other[name]));
}

/** nft prints some addresses in another form. */
function sameText(told: string, echoed: string): boolean {
  const canonical = canonicalAddressBlock(told);
  return told === echoed || (canonical !== undefined && canonical === canonicalAddressBlock(echoed));
}
