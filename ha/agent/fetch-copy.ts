// Replaces the data of a host that can't follow with a copy of the primary's data, which is unpacked and prepared here.
// needs: mariadb-backup

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { copyPosition, prepareCopy, unpackCopy } from '../../embedded/physical-copy.ts';
import type { ServiceUser } from '../../embedded/service-account.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { type CopyTls, copyFailurePath, copyPath, sizeHeader } from './copy.ts';

const answerTimeoutMs = 10_000;
const failureTimeoutMs = 3_000;
const mostFailureText = 1_000;
/** A copy is given up if no byte arrives for this long. */
const silenceMs = 30_000;
/** Space for unpacking and preparing the copy, next to the existing data. */
const roomFactor = 1.1;

export interface FetchOptions {
  readonly address: string;
  readonly port: number;
  readonly tls: CopyTls;
  readonly log: SetupLog;
  /** An empty folder that the server's user owns. */
  readonly into: string;
  readonly runAs: ServiceUser | undefined;
  readonly freeBytes: () => Promise<number>;
  /** `share`: received part of the copy, 0 to 1. Preparation follows. */
  readonly onProgress?: (share: number) => void;
  readonly signal: AbortSignal;
}

/** When it resolves, the copy is ready for a server. */
export async function fetchCopy(options: FetchOptions): Promise<void> {
  const { into, runAs, log, freeBytes, signal } = options;
  const answer = await ask(options);
  const wholeBytes = Number(answer.headers[sizeHeader] ?? 0);
  const free = await freeBytes();
  if (free < wholeBytes * roomFactor) {
    answer.destroy();
    throw new Error(`a copy of ${mebi(wholeBytes)} MiB needs more than the ${mebi(free)} MiB that are free: make room`);
  }
  const copy = { into, runAs, signal };
  try {
    await unpackCopy(answer, copy, progress(wholeBytes, log, options.onProgress));
  } catch (error) {
    if (answer.complete || signal.aborted) throw error;
    const why = await failureAt(options);
    throw why === undefined ? error : new Error(`the primary has ended the copy: ${why}`, { cause: error });
  } finally {
    answer.destroy();
  }
  await prepareCopy(copy);
  if ((await copyPosition(into)) === undefined) throw new Error('the copy has no GTID position');
}

function ask({ address, port, tls, signal }: FetchOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: address, port, path: copyPath, ...tls, agent: false, signal });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)), answerTimeoutMs);
    asked.once('error', reject);
    asked.once('response', (answer) => {
      clearTimeout(timer);
      asked.setTimeout(silenceMs, () => asked.destroy(new Error(`nothing for ${silenceMs / 1_000} s`)));
      if (answer.statusCode === 200) return resolve(answer);
      answer.setEncoding('utf8').once('data', (text) => reject(new Error(`no copy: ${String(text).trim()}`)));
      // Also called when the connection is cut.
      answer.once('close', () => reject(new Error(`no copy: status ${answer.statusCode}`)));
      answer.once('error', reject);
    });
    asked.once('close', () => clearTimeout(timer));
    asked.end();
  });
}

/** Undefined if the other host does not say why. */
async function failureAt({ address, port, tls, signal }: FetchOptions): Promise<string | undefined> {
  const timed = AbortSignal.any([signal, AbortSignal.timeout(failureTimeoutMs)]);
  try {
    const asked = request({ host: address, port, path: copyFailurePath, ...tls, agent: false, signal: timed }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const said = (await text(answer)).trim().slice(0, mostFailureText);
    return answer.statusCode === 200 ? said : undefined;
  } catch {
    return undefined;
  }
}

function progress(wholeBytes: number, log: SetupLog, onProgress: FetchOptions['onProgress']) {
  return async function* (parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let [bytes, told] = [0, 0];
    for await (const part of parts) {
      yield part;
      bytes += part.length;
      onProgress?.(Math.min(1, bytes / Math.max(1, wholeBytes)));
      const tenths = Math.floor((bytes / Math.max(1, wholeBytes)) * 10);
      if (tenths > told) log.info(`${mebi(bytes)} of about ${mebi(wholeBytes)} MiB are copied.`);
      told = Math.max(told, tenths);
    }
  };
}

function mebi(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
