// Options for the records of machines, which `machines create`, `machines issue` and `machines update` share.
import { newHostOf, newHostOptions } from './host-options.ts';
import { giving, several, text, type Values } from './option.ts';

export const recordOptions = {
  'vantage-point': text('NAME', 'Checker: the vantage point for which it votes.'),
  address: giving(
    ['gslbNameServer.addresses'],
    several('IP', 'Name server: an IP address that zones may publish for it.'),
  ),
} as const;

/** Options for a new machine. */
export const newRecordOptions = {
  ...recordOptions,
  ...newHostOptions,
  subgraph: giving(['outsideSubgraph.name'], text('NAME', 'Subgraph of another team: its name in the settings.')),
} as const;

/** The given fields of MachineCreateInput. Throws UsageError if one of a record is missing. */
export function givenRecords(options: Values<typeof newRecordOptions>) {
  const loadBalancerHost = newHostOf(options);
  const { 'vantage-point': vantagePoint, address: addresses, subgraph } = options;
  return {
    ...(loadBalancerHost === undefined ? {} : { loadBalancerHost }),
    ...(vantagePoint === undefined ? {} : { gslbChecker: { vantagePoint } }),
    ...(subgraph === undefined ? {} : { outsideSubgraph: { name: subgraph } }),
    ...(addresses.length === 0 ? {} : { gslbNameServer: { addresses } }),
  };
}
