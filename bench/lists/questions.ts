// The measured lists, with the rows of their tables and the queries sent to each.
import { uuid, uuidSql } from '../../tests/support/stores/lists/rows.ts';

export interface MeasuredList {
  readonly subgraph: string;
  /** The field of Query. */
  readonly field: string;
  readonly table: string;
  /** SQL of `seq` by column, for a list whose rows differ from those of `insertIntoTable`. */
  readonly values: Readonly<Record<string, string>>;
  readonly orders: readonly string[];
  /** Arguments by the name of the query. Each query is sent in each order. */
  readonly filters: Readonly<Record<string, string>>;
}

/** Each of 100 projects has 1 % of the rows, spread over all of them. */
const projects = 100;
export const memberProject = uuid(projects);
const projectOfRow = uuidSql(`${projects} + (seq DIV 7) MOD ${projects}`);

const named = ['OLDEST', 'NEWEST', 'NAME', 'NAME_DESC'];
const byTime = ['NEWEST', 'OLDEST'];
const createdAt = "'2026-01-01' + INTERVAL seq SECOND";
const status = "CASE WHEN seq MOD 1000 = 0 THEN 'ERROR' WHEN seq MOD 100 = 1 THEN 'DEGRADED' ELSE 'ONLINE' END";

const names = JSON.stringify(Array.from({ length: 100 }, (_, at) => `n${7 * (at + 1)}`));
const byName = {
  names: `names: ${names}`,
  textOfMany: 'text: "5"',
  textOfNone: 'text: "none"',
};
const byStatus = {
  statusOfFew: 'operatingStatuses: [ERROR]',
  threeStatuses: 'operatingStatuses: [ONLINE, DEGRADED, ERROR]',
};

const common = { project_id: projectOfRow, created_at: createdAt };
const things = { orders: named, filters: { all: '', ...byName, ...byStatus } };

export const measuredLists: readonly MeasuredList[] = [
  {
    ...{ subgraph: 'loadbalancer', field: 'loadBalancers', table: 'lb_load_balancer' },
    ...{ values: { ...common, operating_status: status, provisioning_status: "'ACTIVE'" }, ...things },
  },
  {
    ...{ subgraph: 'gslb', field: 'gslbs', table: 'gslb' },
    ...{ values: { ...common, operating_status: status, provisioning_status: "'ACTIVE'" }, ...things },
  },
  {
    ...{ subgraph: 'relay', field: 'backends', table: 'backend' },
    ...{ values: { ...common, operating_status: status }, ...things },
  },
  {
    ...{ subgraph: 'relay', field: 'mappings', table: 'mapping' },
    ...{ values: { ...common, backend_id: uuidSql('1 + seq MOD 4000') }, orders: byTime },
    filters: {
      all: '',
      stateOfNone: 'mappingStates: [ORPHAN]',
      twoStates: 'mappingStates: [ACTIVE, ORPHAN]',
    },
  },
  {
    ...{ subgraph: 'relay', field: 'relayOperations', table: 'operation', orders: byTime },
    values: {
      ...common,
      backend_id: uuidSql('1 + seq MOD 4000'),
      state: "CASE WHEN seq MOD 1000 = 0 THEN 'UNKNOWN' WHEN seq MOD 100 = 1 THEN 'FAILED' ELSE 'SUCCEEDED' END",
    },
    filters: {
      all: '',
      ...byName,
      stateOfFew: 'states: [UNKNOWN]',
      threeStates: 'states: [SUCCEEDED, FAILED, UNKNOWN]',
    },
  },
  {
    ...{ subgraph: 'system', field: 'statusHistory', table: 'status_change', orders: byTime },
    values: { ...common, subject_id: uuidSql('1 + seq MOD 4000') },
    filters: {
      all: '',
      kindOfAll: 'kinds: ["relayOperation.state"]',
      kindOfNone: 'kinds: ["gslb.operatingStatus"]',
    },
  },
];
