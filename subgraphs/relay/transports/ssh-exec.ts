// Runs one command on an open session channel and reports exactly what is certain: a complete reply, nothing sent, or no verdict.
// Standard input follows the exec request as soon as the device takes it, so a call costs one round trip, or two with OpenSSH.

import type { ClientChannel } from 'ssh2';
import type { SendFailure, SendOptions } from '../../../platform/net/send.ts';
import { obstacle } from '../../../platform/net/send.ts';
import type { ExecCall } from '../drivers/driver.ts';
import type { SendResult } from './session.ts';
import type { SshConnection } from './ssh-connection.ts';
import { endInput, requestExec } from './ssh2-channels.ts';

const defaultMaxReplyBytes = 1024 * 1024;

/**
 * Never rejects. `stale`: the channel was lost before anything was sent. After ABORTED and WINDOW_PASSED the channel can be used
 * again; after anything else it is used up.
 */
export function runExec(
  connection: SshConnection,
  channel: ClientChannel,
  call: ExecCall,
  options: SendOptions,
): Promise<SendResult | 'stale'> {
  const against = obstacle(options, !connection.canSendOn(channel));
  if (against !== undefined) return Promise.resolve(against);

  return new Promise((resolve) => {
    const startedMs = performance.now();
    const reply = new ReplyBuffer(options.maxReplyBytes ?? defaultMaxReplyBytes);
    let done = false;
    const finish = (result: SendResult) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      channel.off('data', onStdout);
      channel.stderr.off('data', onStderr);
      channel.resume();
      channel.stderr.resume();
      resolve(result);
    };
    const answer = (exitCode: number | null) =>
      finish({ ok: true, reply: reply.toReply(exitCode), elapsedMs: performance.now() - startedMs });
    const fail = (failure: SendFailure) => finish({ ok: false, failure });
    const collect = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      if (reply.add(stream, chunk)) return;
      channel.off('close', onClose);
      connection.drop(channel);
      answer(null);
    };
    const onStdout = collect('stdout');
    const onStderr = collect('stderr');
    const onDeadline = async () => {
      channel.off('close', onClose);
      await connection.abandon(channel);
      fail({ kind: 'NO_VERDICT', code: 'NO_REPLY', message: `No complete reply within ${options.deadlineMs} ms.` });
    };
    let exitCode: number | null = null;
    const onClose = () => {
      if (!connection.lost) answer(exitCode);
      else
        fail({
          kind: 'NO_VERDICT',
          code: 'CONNECTION_LOST',
          message: 'The connection was lost before the reply was complete.',
        });
    };

    const timer = setTimeout(onDeadline, options.deadlineMs);
    channel.on('data', onStdout);
    channel.stderr.on('data', onStderr);
    channel.once('exit', (code: number | null) => {
      exitCode = code;
    });
    channel.once('close', onClose);
    const onRefused = () => {
      channel.off('close', onClose);
      channel.close();
      fail({ kind: 'NOT_SENT', code: 'CHANNEL_REFUSED', message: 'The device refused to run the command.' });
    };
    const onKept = () => {
      channel.off('close', onClose);
      connection.drop(channel);
      fail({
        ...{ kind: 'NO_VERDICT', code: 'NO_REPLY' },
        message: 'Too much time passed until the device asked for the input of the command. None was sent.',
      });
    };
    connection.inOneWrite(() => {
      requestExec(connection.client, channel, call.command, onRefused);
      endInput(channel, call.stdin, { mayStill: () => options.beforeFirstByte?.() !== false, kept: onKept });
    });
  });
}

/** Standard output and error, with a common bound. */
class ReplyBuffer {
  readonly #chunks: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] };
  #roomBytes: number;
  #truncated = false;

  constructor(maxBytes: number) {
    this.#roomBytes = maxBytes;
  }

  /** False when it is full: the chunk was cut. */
  add(stream: 'stdout' | 'stderr', chunk: Buffer): boolean {
    this.#chunks[stream].push(chunk.subarray(0, this.#roomBytes));
    this.#truncated = chunk.length > this.#roomBytes;
    this.#roomBytes -= Math.min(chunk.length, this.#roomBytes);
    return !this.#truncated;
  }

  toReply(exitCode: number | null) {
    return {
      kind: 'exec' as const,
      exitCode,
      stdout: Buffer.concat(this.#chunks.stdout).toString('utf8'),
      stderr: Buffer.concat(this.#chunks.stderr).toString('utf8'),
      truncated: this.#truncated,
    };
  }
}
