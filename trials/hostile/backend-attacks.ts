// An operator's rights for backends, used against this installation: to scan ports from inside, and to have a backend's stored
// credentials sent to the operator's own host.
import type { Random } from '../random.ts';
import type { Caller } from './caller.ts';
import type { Decoys } from './decoys.ts';
import type { Attack } from './http-attacks.ts';

const create =
  'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { id name host port operatingStatus } userErrors { code message field } } }';
const update =
  'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { backend { id host port } userErrors { code message field } } }';
const acceptKey =
  'mutation ($input: BackendHostKeyAcceptInput!) { backendHostKeyAccept(input: $input) { backend { id } userErrors { code message } } }';
const acceptCertificate =
  'mutation ($input: BackendCertificateAcceptInput!) { backendCertificateAccept(input: $input) { backend { id } userErrors { code message } } }';
const read =
  'query ($input: RelayReadInput!) { relayRead(input: $input) { result wireCall userErrors { code message } } }';

/** This host in various notations, and other addresses that are always denied. */
const deniedHosts = [
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.0.0.1.', 'localhost', 'LOCALHOST.'],
  ...['::1', '[::1]', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:0:0:1', '::127.0.0.1', '64:ff9b::7f00:1'],
  ...['0.0.0.0', '0', '::', '169.254.169.254', 'fe80::1', 'fe80::1%lo', 'fd00:ec2::254', '224.0.0.1', 'ff02::1'],
  ...['255.255.255.255', '2002:7f00:1::', '127.0.0.1%0', '127.0.0.1\0.example', '１２７.0.0.1', '127。0。0。1'],
] as const;

const drivers = ['linux-nftables', 'onyx', 'openvswitch', 'modsecurity', 'fortios', 'f5-bigip', 'neo', 'neutron'];

/** A backend at a denied address, then a call to it. The call must not connect either. */
export function deniedBackend(caller: Caller, random: Random, decoys: Decoys, ports: readonly number[]): Attack {
  const host = random.pick(deniedHosts);
  const port = random.pick([decoys.denied.port, ...ports]);
  const name = `scan-${random.integer(0, 0x7fff_ffff).toString(36)}`;
  const driver = random.pick(drivers);
  const input = {
    ...{ name, driver, host, port, cryptoProfile: random.pick(['MODERN', 'LEGACY']) },
    ...(driver === 'neutron' ? { options: { authUrl: `http://${host}:${port}/v3` } } : {}),
    credentials: { username: 'x', password: 'x' },
  };
  const operation = random.pick(['table.list', 'address.list', 'vlan.list', 'network.list']);
  const run = async () => {
    const made = await caller.ask(create, { input });
    const called = await caller.ask(read, { input: { backend: { name }, operation, arguments: {} } });
    return {
      asked: `${made.asked}\n${called.asked}`,
      answered: `${made.answered}\n${called.answered}`,
      answers: [...made.answers, ...called.answers],
    };
  };
  return { kind: `backend at ${host}`, run };
}

/** An operator of alpha moves its backend to another address and calls it there. */
export function movedBackend(insider: Caller, random: Random, decoys: Decoys, prizeId: string): Attack {
  const { host, port, certificateSha256 } = decoys.allowed;
  const moves: readonly object[] = [
    { host, port },
    { port },
    { host, port, certificateSha256 },
    { host, port, certificateSha256, cryptoProfile: 'LEGACY' },
    { host, port, options: { vdom: 'x' } },
    { host, port, credentials: { username: 'cmp' } },
    { options: { proxy: `https://${host}:${port}` } },
    { certificateSha256 },
    { host: `${host}:${port}` },
    { host: `${host}/`, port },
    { host: `cmp@${host}`, port },
    { host, port, enabled: true, dropCredentials: false },
  ];
  const move = random.pick(moves);
  const hostKeySha256 = `SHA256:${'A'.repeat(43)}`;
  const run = async () => {
    const steps = [
      await insider.ask(update, { input: { id: prizeId, ...move } }),
      await insider.ask(acceptCertificate, { input: { id: prizeId, certificateSha256 } }),
      await insider.ask(acceptKey, { input: { id: prizeId, hostKeySha256 } }),
      await insider.ask(read, { input: { backend: { id: prizeId }, operation: 'address.list', arguments: {} } }),
    ];
    return {
      asked: steps.map(({ asked }) => asked).join('\n'),
      answered: steps.map(({ answered }) => answered).join('\n'),
      answers: steps.flatMap(({ answers }) => answers),
    };
  };
  return { kind: `backend moved by ${Object.keys(move).join(', ')}`, run };
}
