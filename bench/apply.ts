// The time of `tidegate apply` for many objects, against the system of `npm start` in another process. The first run creates all objects,
// the second finds nothing to do, and the third changes one in ten.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { AllInOneSystem } from '../measure/all-in-one.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { rounded } from '../measure/statistics.ts';
import { peakMib } from './support/peak-memory.ts';

const counts = { objects: { help: 'objects of the file', usual: 10_000, least: 100 } };

export const benchApply = defineBench({ counts, run });

/** The time of the second run as a share of the first. */
const mostRatio = 0.2;
const program = fileURLToPath(new URL('../bin/tidegate', import.meta.url));
const pollMs = 200;

async function run({ counts: { objects }, progress, signal }: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, adminPassword } = system.started;
  const [file, password] = [join(system.dataPath, 'bench.yaml'), join(system.dataPath, 'bench.password')];
  await writeFile(password, adminPassword, { mode: 0o600 });
  const apply = async (name: string, weight: number, ...more: readonly string[]) => {
    await writeFile(file, fileText(objects, weight));
    const place = ['--project', 'default', '--url', url, '--user', 'admin', '--password-file', password, '--json'];
    const ran = await ranProgram(['apply', '-f', file, '--source', 'bench', ...more, ...place], signal);
    progress(`${name}: ${rounded(ran.seconds, 1)} s, ${JSON.stringify(ran.results)}`);
    return ran;
  };
  const first = await apply('first run', 1);
  const second = await apply('second run', 1);
  const asked = await apply('dry run at the server', 2, '--dry-run=server');
  const third = await apply('a tenth changed', 2);
  const ratio = second.seconds / first.seconds;
  const made = first.results.CREATED ?? 0;
  return {
    figures: {
      objects: made,
      firstSeconds: rounded(first.seconds, 1),
      secondSeconds: rounded(second.seconds, 1),
      ratio: rounded(ratio, 3),
      dryRunSeconds: rounded(asked.seconds, 1),
      thirdSeconds: rounded(third.seconds, 1),
      peakMiB: Math.max(...[first, second, third].map(({ peak }) => peak)),
      machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    },
    faults: [
      ...(made === first.count ? [] : [`the first run made ${made} of ${first.count} objects`]),
      ...(second.results.UNCHANGED === second.count ? [] : ['the second run changed something']),
      ...(asked.results.WOULD_UPDATE === third.results.UPDATED ? [] : ['the dry run foresaw other changes']),
      ...(ratio <= mostRatio
        ? []
        : [`the second run took ${rounded(ratio, 3)} of the first; at most ${mostRatio} is allowed`]),
    ],
  };
}

/** Pools with nine members each, and one name per pool. `weight`: the weight of the members of every tenth object. */
function fileText(objects: number, weight: number): string {
  const documents = [
    'kind: DnsZone\nname: bench.test\nrights: [{ suffix: bench.test, allows: [OUTSIDE_PROJECT] }]',
    'kind: GslbFlavor\nname: bench',
  ];
  const pools: string[] = [];
  const rest: string[] = [];
  for (let pool = 0; documents.length + pools.length + rest.length + 11 <= objects; pool += 1) {
    pools.push(`kind: GslbPool\nname: pool-${pool}`);
    for (let member = 0; member < 9; member += 1) {
      const own = member === 0 ? weight : 1;
      rest.push(
        `kind: GslbPoolMember\npoolId: pool-${pool}\nname: site-${member}\naddresses: [198.51.100.${member + 1}]\nweight: ${own}`,
      );
    }
    rest.push(`kind: Gslb\nfqdn: www-${pool}.bench.test\nflavorId: bench\npoolIds: [pool-${pool}]`);
  }
  return `${[...documents, ...pools, ...rest].join('\n---\n')}\n`;
}

interface Ran {
  readonly seconds: number;
  /** The number of steps by result. */
  readonly results: Readonly<Record<string, number>>;
  readonly count: number;
  /** Resident memory, in MiB. */
  readonly peak: number;
}

async function ranProgram(args: readonly string[], signal: AbortSignal): Promise<Ran> {
  const startMs = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let peak = 0;
  const poll = setInterval(() => {
    try {
      peak = Math.max(peak, peakMib(child.pid ?? 0));
    } catch {
      // The process has just ended.
    }
  }, pollMs);
  const ended = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]).finally(() =>
    clearInterval(poll),
  );
  const seconds = (performance.now() - startMs) / 1000;
  if (code !== 0) {
    const refused = /"message": "[^"]+"/.exec(stdout)?.[0] ?? '';
    throw new Error(`tidegate ${args[0]} ended with ${code}: ${stderr.slice(0, 2_000)} ${refused}`);
  }
  const rows = JSON.parse(stdout) as readonly { readonly result: string }[];
  const groups = Map.groupBy(rows, ({ result }) => result);
  const results = Object.fromEntries([...groups].map(([result, each]) => [result, each.length]));
  return { seconds, results, count: rows.length, peak };
}
