// Opens SSH session channels and sends exec requests as two separate steps, which ssh2's own `exec` does as one: the relay must
// know the moment right before the first byte of a command, and opens channels ahead. Uses members of ssh2 1.17.0 that are not in
// its types (package.json pins that version; every test of the transport covers them).

import type { Socket } from 'node:net';
import type { Client, ClientChannel } from 'ssh2';

/** RFC 4254 section 5.2; the values used by ssh2's Channel. */
const windowBytes = 2 * 1024 * 1024;
const packetBytes = 32 * 1024;

type Opened = (error: Error | undefined, channel: ClientChannel) => void;

interface ClientInternals {
  readonly _chanMgr: { add(opened: Opened & { type?: string }): number };
  readonly _callbacks: ((failed: boolean | Error) => void)[];
  readonly _protocol: {
    session(localChannel: number, windowBytes: number, packetBytes: number): void;
    exec(remoteChannel: number, command: string, wantReply: boolean): void;
    ping(): void;
  };
}

interface ChannelInternals {
  readonly incoming: { readonly state: string };
  readonly outgoing: { readonly id: number; readonly state: string; readonly window: number };
  readonly _callbacks: ((failed: boolean) => void)[];
  subtype: string | undefined;
}

/** RFC 4254 section 6.1. `opened` is called exactly once, also when the connection is lost. */
export function openSessionChannel(client: Client, opened: Opened): void {
  const { _chanMgr, _protocol } = client as unknown as ClientInternals;
  const waiting = Object.assign((...args: Parameters<Opened>) => opened(...args), { type: 'session' });
  const localChannel = _chanMgr.add(waiting);
  if (localChannel === -1) throw new Error('no free SSH channel number');
  _protocol.session(localChannel, windowBytes, packetBytes);
}

/** RFC 4254 section 6.5. `refused` is called when the server refuses: then it has not run the command. */
export function requestExec(client: Client, channel: ClientChannel, command: string, refused: () => void): void {
  const internals = channel as unknown as ChannelInternals;
  internals.subtype = 'exec';
  internals._callbacks.push((failed) => {
    // A channel that closes fails its open requests too, but that does not show whether the command ran.
    if (failed && internals.incoming.state !== 'closed') refused();
  });
  (client as unknown as ClientInternals)._protocol.exec(internals.outgoing.id, command, true);
}

/**
 * Sends everything that `write` writes in one system call. ssh2 makes three system calls for each packet, and a process that is
 * stopped between them would send the rest of a call long after its send window.
 */
export function inOneWrite(socket: Socket, write: () => void): void {
  socket.cork();
  write();
  socket.uncork();
}

/**
 * Ends the input of a command. The device may not take input yet (RFC 4254 section 5.2: OpenSSH opens its window when the command
 * runs). `mayStill` is then asked once it does. If `mayStill` returns false, no input is sent, and `kept` is called.
 */
export function endInput(
  channel: ClientChannel,
  input: string | undefined,
  { mayStill, kept }: { readonly mayStill: () => boolean; readonly kept: () => void },
): void {
  const takesItNow = (channel as unknown as ChannelInternals).outgoing.window > 0;
  channel.end(input);
  if (takesItNow || input === undefined) return;
  // ssh2 calls it when the window opens.
  channel._write = (...args) => {
    channel._write = Object.getPrototypeOf(channel)._write;
    if (mayStill()) channel._write(...args);
    else kept();
  };
}

/** Both directions are still open. */
export function isChannelOpen(channel: ClientChannel): boolean {
  return (channel as unknown as ChannelInternals).outgoing.state === 'open';
}

/**
 * Sends a global request that wants a reply (RFC 4254 section 4). The reply proves that the server has read every byte written
 * before. `answered` gets false when the connection is lost.
 */
export function ping(client: Client, answered: (alive: boolean) => void): void {
  const { _callbacks, _protocol } = client as unknown as ClientInternals;
  _callbacks.push((failed) => answered(!(failed instanceof Error)));
  _protocol.ping();
}
