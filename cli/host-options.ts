// Options for the record of a load balancer host, which `machines create`, `machines issue` and `hosts set` share.
import { UsageError } from './failures.ts';
import { choice, flag, giving, integer, text, type Values } from './option.ts';

export const hostOptions = {
  'public-range': text('CIDR', 'Load balancer host: addresses that its nodes may have for clients.'),
  'management-range': text(
    'CIDR',
    'Load balancer host: addresses that its nodes may have for health checks. Default: those for clients.',
  ),
  nodes: giving(
    ['maxNodes', 'loadBalancerHost.maxNodes'],
    integer('COUNT', 'Load balancer host: largest number of its nodes, 1 to 1000.', { least: 1, most: 1_000 }),
  ),
  site: text('NAME', 'Load balancer host: its location.'),
  provider: choice('PROVIDER', ['netns', 'loopback'], 'Load balancer host: where its nodes live. Default: netns.'),
  'health-port': integer('PORT', 'Load balancer host: port of health checks of its nodes. Default: 8399.', {
    least: 1,
    most: 65_535,
  }),
} as const;

/** The fields of the graph that were given. */
export function givenHostFields(options: Values<typeof hostOptions>) {
  const { 'public-range': publicRange, 'management-range': managementRange, nodes, site, provider } = options;
  const healthPort = options['health-port'];
  return {
    ...(publicRange === undefined ? {} : { publicRange }),
    ...(managementRange === undefined ? {} : { managementRange }),
    ...(nodes === undefined ? {} : { maxNodes: nodes }),
    ...(site === undefined ? {} : { site }),
    ...(provider === undefined ? {} : { provider: provider === 'netns' ? ('NETNS' as const) : ('LOOPBACK' as const) }),
    ...(healthPort === undefined ? {} : { healthPort }),
  };
}

/** Options for a new machine. */
export const newHostOptions = {
  ...hostOptions,
  released: flag('Load balancer host: it gets nodes as soon as it has connected, not after "hosts release".'),
} as const;

/** Undefined if none of the options was given. Throws UsageError when one is missing. */
export function newHostOf(options: Values<typeof newHostOptions>) {
  const { publicRange, maxNodes, ...others } = givenHostFields(options);
  const { released } = options;
  const isGiven = released || publicRange !== undefined || maxNodes !== undefined || Object.keys(others).length > 0;
  if (!isGiven) return undefined;
  if (publicRange === undefined || maxNodes === undefined)
    throw new UsageError('a load balancer host needs both --public-range and --nodes');
  return { ...others, publicRange, maxNodes, released };
}
