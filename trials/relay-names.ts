// `npm run trials -- relay-names`: the trial that a text stays a text. It sends names, comments and attacks through every driver that ends
// at a command line, a shell, or in XML. Each text is refused with the name of its argument, or becomes exactly one command that makes the
// device do what was requested. This is checked with the simulated switch's own grammar, by comparing JSON with its expected form, and for
// a sample with a real nft and a real sh.
// needs: system
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../embedded/run-program.ts';
import { frr } from '../subgraphs/relay/drivers/frr/driver.ts';
import { onyx } from '../subgraphs/relay/drivers/onyx/driver.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Random, seededRandom } from './random.ts';
import { fortiosSubject } from './relay-names/devices/fortios.ts';
import { frrSubjectOf } from './relay-names/devices/frr.ts';
import { modSecuritySubject } from './relay-names/devices/modsecurity.ts';
import { netconfSubject } from './relay-names/devices/netconf.ts';
import { isForRealNft, nftSubject } from './relay-names/devices/nft.ts';
import { onyxSubjectOf } from './relay-names/devices/onyx.ts';
import { openVswitchSubject } from './relay-names/devices/openvswitch.ts';
import { type Figures, type Finding, type Offers, offersTo, type Rendering } from './relay-names/offer.ts';
import type { RealFigures } from './relay-names/real.ts';
import { askRealFrr } from './relay-names/real-frr.ts';
import { askRealNft } from './relay-names/real-nft.ts';
import { askRealShell } from './relay-names/real-shells.ts';
import { type Sample, sampleOf } from './relay-names/sample.ts';
import { modSecurityTrial, openVswitchTrial } from './relay-names/shell-verdicts.ts';
import type { Subject } from './relay-names/subject.ts';
import { type Text, textsOf } from './relay-names/texts.ts';
import { folderOption } from './trial-options.ts';

export const allSubjects: readonly Subject[] = [
  ...[nftSubject, onyxSubjectOf(onyx), openVswitchSubject, modSecuritySubject, fortiosSubject, frrSubjectOf(frr)],
  netconfSubject,
];

export interface RelayNamesOptions extends TrialRun {
  /** Number of texts. Each text is put into one argument of every operation of every driver. */
  readonly count: number;
  /** The number of calls for each of the real programs. With 0 there are none, which needs no root. */
  readonly real: number;
  readonly subjects?: readonly Subject[];
  /** An empty working folder for the real programs. */
  readonly folder: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

interface DriverFigures extends Figures {
  readonly operations: number;
  /** The real program's results for a sample. Undefined if there is none. */
  readonly real?: Omit<RealFigures, 'findings'>;
  readonly remark?: string;
}

interface RelayNamesResult {
  readonly seed: number;
  readonly texts: number;
  readonly rendered: number;
  readonly refused: number;
  readonly refusedUnnamed: number;
  readonly wrong: number;
  readonly drivers: Readonly<Record<string, DriverFigures>>;
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

export const trialRelayNames = defineTrial({
  counts: {
    count: { help: 'texts', usual: 100_000 },
    real: {
      help: 'calls for each of nft, the shells and FRR (at most 1,000 there); they need root',
      usual: 5_000,
      least: 0,
    },
  },
  options: { folder: folderOption('the files of the real programs') },
  run: runRelayNames,
  mustBeZero: ['refusedUnnamed', 'wrong'],
  ran: ({ texts }) => ({ count: texts }),
});

const mostFindings = 20;
const remarks: Readonly<Record<string, string>> = {
  fortios: 'no argument reaches its command line: what is typed there takes none',
};

/** Passes a sample of a driver's calls to the real program. */
type AskReal = (calls: readonly Rendering[], folder: string, signal: AbortSignal) => Promise<RealFigures>;
const realPrograms: Readonly<Record<string, AskReal>> = {
  'linux-nftables': askRealNft,
  frr: askRealFrr,
  openvswitch: (calls, folder) => askRealShell(calls, folder, openVswitchTrial),
  modsecurity: (calls, folder) =>
    askRealShell(calls, folder, (call, path) => modSecurityTrial(call, modSecuritySubject.context, path)),
};

interface Lane {
  readonly subject: Subject;
  readonly offers: Offers;
  readonly sample: Sample<Rendering>;
}

export async function runRelayNames(options: RelayNamesOptions): Promise<RelayNamesResult> {
  const startedMs = performance.now();
  const { seed, count, real, subjects = allSubjects } = options;
  if (real > 0) await requireNamespaces();
  const random = seededRandom(seed);
  const findings: Finding[] = [];
  const found = (finding: Finding) => {
    if (findings.length < mostFindings) findings.push(shortened(finding));
  };
  const lanes = subjects.map((subject): Lane => {
    return { subject, offers: offersTo(subject, found), sample: sampleOf(real, random) };
  });
  let done = 0;
  for (const text of textsOf(random, count)) {
    options.signal.throwIfAborted();
    if (options.timeIsUp?.() === true) break;
    for (const lane of lanes) await offer(lane, text, random);
    done += 1;
    if (done % 10_000 === 0) options.progress(`${done} texts`);
  }
  const drivers: Record<string, DriverFigures> = {};
  for (const { subject, offers, sample } of lanes) {
    const { name } = subject.driver;
    const asked = real === 0 ? undefined : await askReal(options, name, sample.drawn());
    for (const what of asked?.findings ?? [])
      found({ driver: name, operation: '', place: 'real program', text: '', what });
    drivers[name] = {
      operations: subject.operations.length,
      ...offers.figures,
      wrong: offers.figures.wrong + (asked?.wrong ?? 0),
      ...(asked === undefined ? {} : { real: { calls: asked.calls, wrong: asked.wrong } }),
      ...(remarks[name] === undefined ? {} : { remark: remarks[name] }),
    };
  }
  const sum = (field: 'rendered' | 'refused' | 'refusedUnnamed' | 'wrong') =>
    Object.values(drivers).reduce((total, each) => total + each[field], 0);
  return {
    ...{ seed, texts: done, rendered: sum('rendered'), refused: sum('refused') },
    ...{ refusedUnnamed: sum('refusedUnnamed'), wrong: sum('wrong'), drivers },
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    findings,
  };
}

/** This is checked before minutes of work instead of after them. */
async function requireNamespaces(): Promise<void> {
  const probe = await runProgram('unshare', ['--net', '--mount', 'true']);
  if (probe.exitCode !== 0) throw new Error('the real programs need namespaces, and so root; --real 0 does without');
}

async function offer({ subject, offers, sample }: Lane, text: Text, random: Random): Promise<void> {
  const isPlain = /^[A-Za-z0-9_.-]+$/.test(text.text);
  await offers.offer(text, random, (rendering) => {
    if (subject.driver.name === 'linux-nftables' && !isForRealNft(rendering.operation.name)) return;
    sample.add(rendering, isPlain);
  });
}

async function askReal(
  { folder, progress, signal }: RelayNamesOptions,
  driver: string,
  calls: readonly Rendering[],
): Promise<RealFigures | undefined> {
  const ask = realPrograms[driver];
  if (ask === undefined) return undefined;
  progress(`${driver}: ${calls.length} calls for the real program`);
  const own = join(folder, driver);
  await mkdir(own);
  return ask(calls, own, signal);
}

function shortened(finding: Finding): Finding {
  return { ...finding, text: finding.text.slice(0, 200), what: finding.what.slice(0, 500) };
}
