// `tidegate lab load`: a CMP for `npm start -- --ha`, and its view while hosts fail.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathExists } from '../../../embedded/find-program.ts';
import { demoFolderIn, demoHostUrlsFile, demoUrlFile } from '../../../lab/ha/places.ts';
import { givenToken } from '../../credential.ts';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../../failures.ts';
import { labDataOption } from '../../lab-client.ts';
import { flag, integer } from '../../option.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { localVerb } from '../../verb.ts';
import { audit } from './load/audit.ts';
import { type Phases, runBeside } from './load/beside.ts';
import { type ClientOptions, runReader, runWriter } from './load/clients.ts';
import { SeenEvents } from './load/events.ts';
import { type Before, untilFirstWrite } from './load/first-write.ts';
import { HostList, LoadLine } from './load/line.ts';
import { type Stretch, Tally } from './load/tally.ts';

const usualClients = 4;
const lineMs = 1_000;
const connectMs = 2_000;

export const load = localVerb({
  summary:
    'Write and read like a CMP through the address of "npm start -- --ha", optionally during a command, and count acknowledged, failed and lost writes.',
  takes: ['[COMMAND...]'],
  options: {
    seconds: integer(
      'SECONDS',
      'Duration from the first write on; default: until Ctrl-C, or some seconds after the command.',
      { least: 1, most: 3_600 },
    ),
    clients: integer('N', `Clients, each of which waits for its answers (${usualClients}).`, { least: 1, most: 32 }),
    hosts: flag('Go to the data hosts themselves, the next one where one does not answer, not to their address.'),
    data: labDataOption,
    json: commonOptions.json,
  },
  async run({ options, names, stdout, stderr, signal, ...call }) {
    const [command] = names;
    if (command.length > 0 && options.seconds !== undefined)
      throw new UsageError('give only one of --seconds and a command');
    const { urls, token, deviceLog } = await placeIn(options.data ?? '.tidegate', options.hosts);
    const line = new LoadLine(urls, token);
    const events = new SeenEvents();
    const ending = new AbortController();
    const following = events.follow(new HostList(urls), givenToken(token), ending.signal);
    following.catch((error: unknown) => stderr.write(`tidegate: the subscription ended: ${String(error)}\n`));
    await sleep(connectMs, undefined, { signal }).catch(() => undefined);
    const printer = printerOf({ stdout, ...call });
    const say = async (text: string) => (options.json ? undefined : printer.line(text));
    const before = await untilFirstWrite({ endpoint: line.endpoint, signal, onWait: (text) => void say(text) });
    if (before === undefined) {
      ending.abort();
      await Promise.allSettled([following, line.close()]);
      throw new Interruption('no write was acknowledged');
    }
    await say(`${wereThere(before)} Counting from here.`);

    const begunAtMs = Date.now();
    const tally = new Tally();
    const enough = new AbortController();
    const seconds = options.seconds === undefined ? [] : [AbortSignal.timeout(options.seconds * 1_000)];
    const stopping = AbortSignal.any([signal, enough.signal, ...seconds]);
    const clientOptions: ClientOptions = { endpoint: line.endpoint, tally, stopping, ending: ending.signal };
    const telling = options.json ? undefined : setInterval(() => void printer.line(lineOf(tally)), lineMs);
    const writers = Array.from({ length: options.clients ?? usualClients }, () => runWriter(clientOptions));
    const beside = async () => {
      if (command.length === 0) return () => undefined;
      const output = options.json ? stderr : stdout;
      return runBeside({ command, tally, signal: stopping, output }).finally(() => enough.abort());
    };
    const [phasesNow] = await Promise.all([beside(), ...writers, runReader(clientOptions)]);
    clearInterval(telling);
    const phases = phasesNow();
    const [longestGapMs, longestReadGapMs] = [tally.writing.longestMs, tally.reading.longestMs];
    const { stretches } = tally.writing;

    const { acknowledged } = tally;
    const verdict = await audit(tally, {
      ...{ endpoint: line.endpoint, events, deviceLog, begunAtMs, signal: ending.signal },
    }).catch((error: unknown) => {
      throw new CommandFailure(String((error as Error).message), exitCodes.unreachable);
    });
    ending.abort();
    await Promise.allSettled([following, line.close()]);
    const summary = {
      ...{ before, ...(phases === undefined ? {} : { phases }), stretches },
      ...{ acknowledged: acknowledged.length, failed: tally.failed, lost: verdict.lost, repeated: verdict.repeated },
      falselyFailed: verdict.falselyFailed,
      ...{ unknown: tally.unknown, again: tally.again, reads: tally.reads, readsFailed: tally.readsFailed },
      ...{ staleReads: tally.staleReads, longestGapMs, longestReadGapMs, eventsMissed: verdict.eventsMissed },
      ...{ eventsRepeated: events.repeated, eventsResumed: events.lost, failures: tally.words },
    };
    const unwell = phases === undefined || phases.exitCode === 0 ? undefined : phases.exitCode;
    if (options.json) {
      await printer.json(summary);
      return refuse(command, unwell);
    }
    await printer.pairs([
      ['Before', wereThere(before)],
      ['Acknowledged', `${summary.acknowledged}${phases === undefined ? '' : `: ${phasesIn(phases)}`}`],
      ['Stretches', stretchesIn(stretches)],
      ['Failed', summary.falselyFailed ? `${summary.failed}, ${summary.falselyFailed} of them done` : summary.failed],
      ['Lost', summary.lost],
      ['Repeated', summary.repeated ?? 'not known: the log of the firewall can not be read'],
      ['Unknown', summary.unknown],
      ['Sent again', `${summary.again} requests without an answer, with the same key`],
      ['Reads', `${summary.reads}, failed ${summary.readsFailed}, stale ${summary.staleReads}`],
      ['Longest gap', `${longestGapMs} ms of writes, ${longestReadGapMs} ms of reads`],
      [
        'Events',
        `missed ${summary.eventsMissed}, repeated ${summary.eventsRepeated}, resumed ${summary.eventsResumed} times`,
      ],
    ]);
    for (const words of tally.words) await printer.line(words);
    refuse(command, unwell);
  },
});

function refuse(command: readonly string[], exitCode: number | undefined): void {
  if (exitCode !== undefined) throw new CommandFailure(`${command.join(' ')} ended with ${exitCode}`);
}

function wereThere({ calls, unknown, firstWriteMs }: Before): string {
  return `The journal had ${calls} calls, ${unknown} of them unknown; the first write took ${secondsOf(firstWriteMs)}.`;
}

function phasesIn({ before, during, after, commandMs }: Phases): string {
  return `${before} before the command, ${during} during its ${secondsOf(commandMs)}, ${after} after it`;
}

/** Pauses of a second or more separate the acknowledgements before and after them. */
function stretchesIn(stretches: readonly Stretch[]): string {
  return stretches
    .map(({ count, thenGapMs }) => (thenGapMs === 0 ? `${count}` : `${count}, nothing for ${secondsOf(thenGapMs)}`))
    .join(', ');
}

function secondsOf(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

interface DemoPlace {
  readonly urls: readonly [string, ...string[]];
  readonly token: string;
  readonly deviceLog: string | undefined;
}

/** The demo that runs with this data folder. Throws CommandFailure. */
async function placeIn(dataPath: string, isList: boolean): Promise<DemoPlace> {
  const folder = demoFolderIn(dataPath);
  const read = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim();
  try {
    const [url, token] = [await read(demoUrlFile), await read('admin.token')];
    const [first = url, ...others] = isList ? (await read(demoHostUrlsFile)).split('\n') : [url];
    const device = join(folder, 'lab', 'firewall', 'device');
    const urls = [`${first}/graphql`, ...others.map((each) => `${each}/graphql`)] as const;
    // The log itself is not there before the first call.
    return { urls, token, deviceLog: (await pathExists(device)) ? join(device, 'device.ndjson') : undefined };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throw new CommandFailure('only root may use the hosts of "npm start -- --ha"');
    throw new CommandFailure(
      `no hosts run in the data folder ${dataPath}: name another with --data, or start them with npm start -- --ha`,
      exitCodes.unreachable,
    );
  }
}

function lineOf({ acknowledged, failed, unknown, again, reads, readsFailed, writing }: Tally): string {
  const time = new Date().toISOString().slice(11, 19);
  const bad = `failed ${failed}, unknown ${unknown}, sent again ${again}`;
  return `${time}  acknowledged ${acknowledged.length}, ${bad}, reads ${reads}, failed ${readsFailed}, longest gap ${writing.longestMs} ms`;
}
