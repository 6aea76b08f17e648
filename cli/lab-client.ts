// Requests to the lab of a running `npm start`, over the Unix socket in its data folder.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { LabReply, LabRequest, LabStep } from '../lab/control-plane/control.ts';
import type { DeviceRow, HostRow } from '../lab/control-plane/lab.ts';
import { demoControlFile, demoFolderIn } from '../lab/ha/places.ts';
import { CommandFailure, exitCodes, Interruption } from './failures.ts';
import { text } from './option.ts';
import { printerOf } from './printer.ts';
import type { Surroundings } from './verb.ts';

export const labDataOption = text('DIR', 'Data folder of "npm start" on this machine (.tidegate).');

/** compose/lab/control.ts. That module is not imported here, because it loads the lab. */
const controlFile = join('lab-parts', 'control');

/** All devices, after the request. Throws CommandFailure if it is refused, or no lab runs there. */
export async function askLab(...asked: Parameters<typeof askWhole>): Promise<readonly DeviceRow[]> {
  return (await askWhole(...asked)).parts;
}

/** The same for the hosts of its devices. */
export async function askHosts(...asked: Parameters<typeof askWhole>): Promise<readonly HostRow[]> {
  return (await askWhole(...asked)).hosts;
}

async function askWhole(
  dataFolder: string | undefined,
  request: LabRequest,
  signal: AbortSignal,
  onStep: (step: string) => void = () => {},
): Promise<Exclude<LabReply, { refused: string }>> {
  const folder = dataFolder ?? '.tidegate';
  let reply: LabReply | undefined;
  const onLine = (line: string) => {
    const said = JSON.parse(line) as LabReply | LabStep;
    if ('step' in said) onStep(said.step);
    else reply = said;
  };
  await exchangeWith(folder, `${JSON.stringify(request)}\n`, onLine, signal).catch((error: NodeJS.ErrnoException) => {
    throw error instanceof Interruption ? error : noLab(folder, error);
  });
  if (reply === undefined) throw new CommandFailure('the lab ended before it answered', exitCodes.unreachable);
  if ('refused' in reply) throw new CommandFailure(reply.refused);
  return reply;
}

/** Includes the demo of high availability, if it runs there. Only one of the two can run. */
async function exchangeWith(
  folder: string,
  request: string,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const demo = await readFile(join(demoFolderIn(folder), demoControlFile), 'utf8').catch(() => undefined);
  if (demo !== undefined) {
    try {
      return await exchange(demo.trim(), request, onLine, signal);
    } catch (error) {
      if (!['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  const path = await readFile(join(folder, controlFile), 'utf8');
  await exchange(path.trim(), request, onLine, signal);
}

export async function printDevices(devices: readonly DeviceRow[], around: Surroundings, json: boolean): Promise<void> {
  const printer = printerOf(around);
  if (json) return printer.json(devices);
  await printer.table(
    ['PART', 'STATE', 'BACKEND', 'DRIVER', 'ADDRESS', 'TROUBLE', 'NOTE'],
    devices.map(({ part: device, state, backend, driver, address, trouble, note }) => {
      return [device, state, backend ?? '-', driver ?? '-', address ?? '-', trouble, note];
    }),
  );
}

export async function printHosts(hosts: readonly HostRow[], around: Surroundings, json: boolean): Promise<void> {
  const printer = printerOf(around);
  if (json) return printer.json(hosts);
  await printer.table(
    ['HOST', 'PART', 'STATE', 'ADDRESS', 'NAMESPACE', 'NOTE'],
    hosts.map(({ name, part: device, state, address, namespace, note }) => [
      name,
      device,
      state,
      address,
      namespace ?? '-',
      note,
    ]),
  );
}

function noLab(folder: string, { code, message }: NodeJS.ErrnoException): CommandFailure {
  if (code === 'EACCES' || code === 'EPERM')
    return new CommandFailure(`only the owner of the data folder ${folder}, or root, may use its lab`);
  const known = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(code ?? '');
  return new CommandFailure(
    known
      ? `no lab runs in the data folder ${folder}: name another with --data, or start it with npm start`
      : `the lab in ${folder} can't be reached: ${message}`,
    exitCodes.unreachable,
  );
}

/** Resolves when the lab has closed the connection. */
function exchange(path: string, request: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect({ path });
    const abort = () => socket.destroy(new Interruption());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => socket.write(request));
    socket.setEncoding('utf8').on('data', (data: string) => {
      const lines = `${heard}${data}`.split('\n');
      heard = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
