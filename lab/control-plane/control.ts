// The lab's control socket: a Unix socket in the data folder, so that who may use it is decided by the folder's owner and mode
// (decision 0040). One request a connection, a line of JSON each way; before the answer to a request that takes long, a line for each step.
import { once } from 'node:events';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { type DataFolder, MAX_SOCKET_PATH_BYTES } from '../../embedded/data-folder.ts';
import {
  type DeviceName,
  deviceNames,
  type HostAct,
  hostActs,
  isHostAct,
  isHostName,
  type Trouble,
  troubles,
} from '../device.ts';
import { plainLabFolder } from '../folders.ts';
import { demoControlFile } from '../ha/places.ts';
import { type HostFault, hostFaults, mostSkewSeconds } from '../ha/plan.ts';
import { type DeviceRow, type HostRow, LabRefusal } from './lab.ts';

/** Requests of commands to a lab. Each throws LabRefusal. */
export interface ControlledLab {
  list(): readonly DeviceRow[];
  hosts(): readonly HostRow[];
  /** `onStep`: gets each step in words. */
  add(device: DeviceName, onStep: (step: string) => void): Promise<void>;
  remove(device: DeviceName, orphanMappings: boolean): Promise<void>;
  trouble(device: DeviceName, trouble: Trouble): Promise<void>;
  act(act: HostAct, host: string): Promise<void>;
  /** Absent unless these are hosts of `up --ha`. */
  fault?(fault: HostFault, host: string): Promise<void>;
  cut?(one: string, other: string): Promise<void>;
  skew?(host: string, seconds: number): Promise<void>;
}

const device = z.enum(deviceNames);
const host = z.string().refine(isHostName);
const request = z.discriminatedUnion('do', [
  z.object({ do: z.literal('list') }),
  z.object({ do: z.literal('add'), part: device }),
  z.object({ do: z.literal('remove'), part: device, orphanMappings: z.boolean() }),
  z.object({ do: z.enum(hostActs), host }),
  z.object({ do: z.enum(hostFaults), host }),
  z.object({ do: z.literal('cut'), host, other: host }),
  z.object({ do: z.literal('skew'), host, seconds: z.number().int().min(-mostSkewSeconds).max(mostSkewSeconds) }),
  z.object({ do: z.literal('trouble'), part: device, trouble: z.enum(troubles) }),
]);
export type LabRequest = z.infer<typeof request>;
/** Progress before the reply. */
export interface LabStep {
  readonly step: string;
}
/** All devices, after the request. */
export type LabReply =
  | { readonly parts: readonly DeviceRow[]; readonly hosts: readonly HostRow[] }
  | { readonly refused: string };

/** A file in the lab's folder with the path of the socket, which is elsewhere if the folder's path is too long. */
const controlFile = join(plainLabFolder, 'control');

const longestRequest = 1_024;
const mostConnections = 16;
const requestMs = 5_000;

interface Control {
  stop(): Promise<void>;
}

/** Opens the socket for a data folder's lab. `serves`: resolves when its parts have been started. Only `list` is answered before. */
export async function openControl(folder: DataFolder, lab: ControlledLab, serves: Promise<void>): Promise<Control> {
  await folder.subfolder(plainLabFolder);
  return listen(folder.socketPath('lab.sock'), join(folder.path, controlFile), lab, serves);
}

/** Opens the socket of the high-availability demo, in root's folder. `otherwise`: path of the socket if its path there is too long. */
export function openDemoControl(
  folder: string,
  otherwise: string,
  lab: ControlledLab,
  serves?: Promise<void>,
): Promise<Control> {
  const path = join(folder, 'lab.sock');
  const isShort = Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
  return listen(isShort ? path : otherwise, join(folder, demoControlFile), lab, serves);
}

async function listen(path: string, file: string, lab: ControlledLab, serves?: Promise<void>): Promise<Control> {
  const sockets = new Set<Socket>();
  const started: Start = { serves: serves?.then(() => (started.isServing = true)), isServing: serves === undefined };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket, lab, started);
  });
  server.maxConnections = mostConnections;
  await rm(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  await writeFile(file, `${path}\n`, { mode: 0o600 });
  return {
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Start {
  readonly serves: Promise<unknown> | undefined;
  isServing: boolean;
}

function serve(socket: Socket, lab: ControlledLab, started: Start): void {
  let heard = '';
  socket.setTimeout(requestMs, () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    heard += data.toString();
    const end = heard.indexOf('\n');
    if (end < 0) return void (heard.length > longestRequest && socket.destroy());
    socket.removeAllListeners('data');
    // A device's first start may take minutes.
    socket.setTimeout(0);
    const say = (step: string) => {
      if (socket.writable) socket.write(`${JSON.stringify({ step } satisfies LabStep)}\n`);
    };
    void answer(heard.slice(0, end), lab, started, say).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
  });
}

async function answer(
  line: string,
  lab: ControlledLab,
  started: Start,
  say: (step: string) => void,
): Promise<LabReply> {
  try {
    const asked = request.parse(JSON.parse(line));
    if (asked.do !== 'list' && !started.isServing) {
      say('waiting for the parts that are starting');
      await started.serves;
    }
    if (asked.do === 'add') await lab.add(asked.part, say);
    if (asked.do === 'remove') await lab.remove(asked.part, asked.orphanMappings);
    if (asked.do === 'trouble') await lab.trouble(asked.part, asked.trouble);
    if (asked.do === 'cut') await ofDemo(lab.cut?.bind(lab))(asked.host, asked.other);
    else if (asked.do === 'skew') await ofDemo(lab.skew?.bind(lab))(asked.host, asked.seconds);
    else if ('host' in asked) await actOn(lab, asked);
    return { parts: lab.list(), hosts: lab.hosts() };
  } catch (error) {
    if (error instanceof LabRefusal) return { refused: error.message };
    return { refused: `the lab failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function actOn(lab: ControlledLab, { do: what, host }: { do: HostAct | HostFault; host: string }): Promise<void> {
  if (isHostAct(what)) await lab.act(what, host);
  else await ofDemo(lab.fault?.bind(lab))(what, host);
}

function ofDemo<Fault>(fault: Fault | undefined): Fault {
  if (fault === undefined) throw new LabRefusal('only the hosts of "npm start -- --ha" can have that fault');
  return fault;
}
