// Checks whether an address is already in use in the network. needs: iproute2, iputils-ping

import { runProgram } from '../../embedded/run-program.ts';

const triesEach = 3;
const waitSeconds = 1;

/** A host that does not answer pings still answers ARP. `device`: interface of a network that would contain the address. */
export async function answers(address: string, device: string): Promise<boolean> {
  await runProgram('ip', ['neighbour', 'delete', address, 'dev', device]);
  const count = String(triesEach);
  const { exitCode } = await runProgram('ping', [
    '-n',
    '-q',
    '-c',
    count,
    '-i',
    '0.3',
    '-W',
    String(waitSeconds),
    '-I',
    device,
    address,
  ]);
  if (exitCode === 0) return true;
  const { stdout } = await runProgram('ip', ['neighbour', 'show', address, 'dev', device]);
  return stdout.includes('lladdr');
}
