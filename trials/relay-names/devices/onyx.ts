// The input of a switch, parsed by the simulated switch itself: typed at its terminal, split into words and executed by its own
// grammar on a switch made for the call. Its state afterwards must be exactly the requested one.
import { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { CliSession } from '../../../simulators/onyx/cli.ts';
import type { OnyxDevice } from '../../../simulators/onyx/device.ts';
import {
  type EthernetPort,
  factoryConfig,
  newSwitchport,
  type PortChannel,
  type PortMode,
  type SwitchConfig,
} from '../../../simulators/onyx/state.ts';
import { Faults } from '../../../simulators/support/faults.ts';
import { Terminal } from '../../../simulators/support/terminal.ts';
import type { Driver, JsonObject, WireCall } from '../../../subgraphs/relay/drivers/driver.ts';
import { contextOf, isSame, type Subject } from '../subject.ts';

const newEthernet = (): EthernetPort => ({ ...newSwitchport(), group: undefined });
const newChannel = (): PortChannel => ({ ...newSwitchport(), ipl: undefined });
const ethernetName = (port: unknown) => String(port).replace(/^Eth/, '');
const channelNumber = (port: unknown) => Number(String(port).replace(/^Po/, ''));
const isChannel = (port: unknown) => String(port).startsWith('Po');

interface Deed {
  /** The number of its lines. */
  readonly lines: number;
  /** The state that is required before the call. */
  readonly before?: (config: SwitchConfig, args: JsonObject) => void;
  /** The expected changes. */
  readonly after?: (config: SwitchConfig, args: JsonObject) => void;
}

const withPort = (config: SwitchConfig, { port }: JsonObject) => {
  if (isChannel(port)) config.portChannels.set(channelNumber(port), newChannel());
  else config.ethernet.set(ethernetName(port), newEthernet());
};
const withLag = (config: SwitchConfig, args: JsonObject) => {
  withPort(config, args);
  config.portChannels.set(Number(args.lag), newChannel());
  config.lacp = true;
};
const inGroup = (config: SwitchConfig, { port, lag, mode }: JsonObject) => {
  const known = config.ethernet.get(ethernetName(port));
  if (known) known.group = { channel: Number(lag), mode: mode as 'on' | 'active' | 'passive' };
};

const deeds: Readonly<Record<string, Deed>> = {
  'system.read': { lines: 1 },
  'config.save': { lines: 1 },
  'vlan.list': { lines: 1 },
  'vlan.create': {
    lines: 3,
    after: (config, { vlan, name }) => config.vlans.set(Number(vlan), { name: String(name) }),
  },
  'vlan.delete': {
    lines: 1,
    before: (config, { vlan }) => config.vlans.set(Number(vlan), { name: '' }),
    after: (config, { vlan }) => config.vlans.delete(Number(vlan)),
  },
  'port.list': { lines: 1 },
  'port.vlan.set': {
    lines: 2,
    before: (config, args) => {
      config.vlans.set(Number(args.vlan), { name: '' });
      withPort(config, args);
    },
    after: (config, { port, mode, vlan }) => {
      const known = isChannel(port)
        ? config.portChannels.get(channelNumber(port))
        : config.ethernet.get(ethernetName(port));
      if (known) Object.assign(known, { mode: mode as PortMode, access: Number(vlan) });
    },
  },
  'lag.list': { lines: 1 },
  'lag.create': { lines: 2, after: (config, { lag }) => config.portChannels.set(Number(lag), newChannel()) },
  'lag.delete': {
    lines: 1,
    before: (config, { lag }) => config.portChannels.set(Number(lag), newChannel()),
    after: (config, { lag }) => config.portChannels.delete(Number(lag)),
  },
  'lag.member.add': { lines: 1, before: withLag, after: inGroup },
  'lag.member.remove': {
    lines: 1,
    before: (config, args) => {
      withLag(config, args);
      inGroup(config, { ...args, mode: 'active' });
    },
    after: (config, { port }) => {
      const known = config.ethernet.get(ethernetName(port));
      if (known) known.group = undefined;
    },
  },
  'lacp.enable': {
    lines: 1,
    after: (config) => {
      config.lacp = true;
    },
  },
  'mlag.vip.read': { lines: 1 },
  'mlag.vip.set': {
    lines: 2,
    before: (config) => {
      config.mlagProtocol = true;
    },
    after: (config, { group, address, prefixLength }) => {
      config.mlagVip = { group: String(group), address: `${String(address)}/${String(prefixLength)}` };
      config.mlagShutdown = false;
    },
  },
  'mlag.vip.delete': {
    lines: 1,
    before: (config) => {
      config.mlagProtocol = true;
      config.mlagVip = { group: 'pair', address: '192.0.2.1/24' };
    },
    after: (config) => {
      config.mlagVip = undefined;
    },
  },
};

const bases: Readonly<Record<string, JsonObject>> = {
  'port.vlan.set': { port: '1/4', mode: 'access', vlan: 42 },
  'lag.member.add': { lag: 22, port: '1/7', mode: 'active' },
};

/** Typed after every block. If a block has a line more or less, it does not end here. */
const endOfBlock = 'show version';

/** The lines as the switch's terminal received them. Undefined after a key that is not a character of a line. */
async function typed(lines: readonly string[]): Promise<readonly string[] | undefined> {
  const client = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const terminal = new Terminal(client, {
    rows: 24,
    pagerPrompt: '--More--',
    pagerErase: '\r',
    helpKeys: '?',
    echo: false,
  });
  client.push([...lines, endOfBlock].map((line) => `${line}\n`).join(''), 'utf8');
  client.push(null);
  const read: string[] = [];
  for (;;) {
    const line = await terminal.readLine('');
    if (line.kind === 'help') return undefined;
    if (line.kind === 'end') return read;
    read.push(line.text);
  }
}

/** One command is sent alone to the JSON API, which accepts it without a filter. */
function isSameOverJson(call: WireCall, lines: readonly string[]): boolean {
  if (call.kind !== 'http' || call.method !== 'POST') return false;
  const [line = ''] = lines;
  const show = line.startsWith('show ') ? line.replace(/ \| json-print$/, '') : undefined;
  const body = show === undefined ? { commands: lines, execution_type: 'sync' } : { cmd: show };
  return isSame(call.body, body);
}

async function misread(operation: string, args: JsonObject, call: WireCall): Promise<string | undefined> {
  const deed = deeds[operation];
  if (deed === undefined) return `nothing is known of ${operation}`;
  if (call.kind !== 'cli') return `a call of kind ${call.kind}`;
  const lines = await typed(call.lines);
  if (lines === undefined) return 'a line has a key that asks for help';
  if (lines.length !== deed.lines + 1 || lines.at(-1) !== endOfBlock) return `${lines.length - 1} lines are typed`;
  const [config, wanted] = [switchFor(deed, args), switchFor(deed, args)];
  deed.after?.(wanted, args);
  const session = new CliSession(deviceOf(config), 'CLI', 'config');
  for (const line of lines) {
    const { output } = session.execute(line);
    if (output.startsWith('%')) return `${line}: ${output.trim()}`;
  }
  return isDeepStrictEqual(config, wanted) ? undefined : 'the switch is otherwise than asked for';
}

function switchFor({ before }: Deed, args: JsonObject): SwitchConfig {
  const config = factoryConfig('switch-1', 0);
  before?.(config, args);
  return config;
}

function deviceOf(config: SwitchConfig): OnyxDevice {
  const unlimited = Number.POSITIVE_INFINITY;
  return {
    config,
    identity: { version: '3.7.1102', serial: 'MT0' },
    faults: new Faults(),
    knobs: {
      ...{ maxShells: unlimited, maxWebSessions: unlimited, webSessionLifetimeMs: 1_000 },
      ...{ jsonApi: true, stopsAtError: false, jsonTrailer: '', loginRedirects: false },
    },
    isAccount: () => false,
    shells: { now: 0, most: 0, total: 0 },
    applied: () => undefined,
    save: () => undefined,
  };
}

export function onyxSubjectOf(driver: Driver): Subject {
  const overJson = contextOf(driver, 'https');
  return {
    driver,
    operations: [...driver.operations.values()],
    context: contextOf(driver, 'ssh'),
    base: (operation) => bases[operation] ?? driver.operations.get(operation)?.example ?? {},
    async misread(operation, args, call) {
      const json = driver.operations.get(operation)?.render(args, overJson);
      if (json === undefined || call.kind !== 'cli' || !isSameOverJson(json, call.lines)) {
        return 'the JSON API is told something else';
      }
      return await misread(operation, args, call);
    },
  };
}
