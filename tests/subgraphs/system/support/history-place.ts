// A system with an object of each kind, and the history of their settings.
import { asInput } from '../../../../cli/kinds/as-input.ts';
import { registry } from '../../../../generated/kinds/registry.ts';
import { Database } from '../../../../platform/database/database.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../../platform/values/json.ts';
import { actionDocument, oneDocument } from '../../../../schema/kinds/documents.ts';
import { type Applying, applying, documents } from '../../../cli/commands/one-of-each-kind.ts';
import { Administrator } from '../../../support/product/administrator.ts';

interface Change {
  readonly field: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

interface Restore {
  readonly mutation: string | null;
  readonly input: JsonObject | null;
  readonly missingFields: readonly string[];
  readonly refusal: string | null;
}

export interface Version {
  readonly id: string;
  readonly number: number;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly subjectName: string;
  readonly mutation: string | null;
  readonly deleted: boolean;
  readonly settings: JsonObject | null;
  readonly changes: readonly Change[];
  readonly restore: Restore;
  readonly undo: Restore;
  readonly actor: { readonly name: string } | null;
}

const selection = `id number subjectType subjectId subjectName mutation deleted settings actor { name }
  changes { field before after } restore { mutation input missingFields refusal } undo { mutation input missingFields refusal }`;

interface Subject {
  readonly type: string;
  /** Its global ID. */
  readonly id: string;
}

export class HistoryPlace {
  readonly place: Applying;
  readonly admin: Administrator;

  private constructor(place: Applying, admin: Administrator) {
    [this.place, this.admin] = [place, admin];
  }

  static async open(): Promise<HistoryPlace> {
    const place = await applying();
    const opened = new HistoryPlace(place, await Administrator.of(place.system));
    const { exitCode, stderr } = await place.apply(documents);
    if (exitCode !== 0) throw new Error(stderr);
    const channel = { name: 'desk', target: { webhook: { url: 'https://127.0.0.1:9/told' } }, groupMs: 1_000 };
    await opened.admin.change('alertChannelCreate', { ...channel, projectId: await opened.#projectId() });
    return opened;
  }

  async #projectId(): Promise<string> {
    const { projects } = await this.admin.ask<{ projects: { nodes: { id: string }[] } }>(
      '{ projects(names: ["default"]) { nodes { id } } }',
    );
    return projects.nodes[0]?.id ?? '';
  }

  /** All objects with a history. */
  async subjects(): Promise<readonly Subject[]> {
    const sql = 'SELECT DISTINCT subject_type AS type, subject_id AS id FROM configuration_version ORDER BY 1, 2';
    return (await this.#rows<Subject>(sql)).map(({ type, id }) => ({ type, id: encodeId(type, id) }));
  }

  /** Types of subjects, each with the number of its events and of those without a name. */
  eventNames(): Promise<readonly { readonly type: string; readonly events: number; readonly nameless: number }[]> {
    return this.#rows(
      'SELECT subject_type AS type, COUNT(*) AS events, CAST(SUM(subject_name IS NULL) AS INT) AS nameless FROM status_change GROUP BY 1',
    );
  }

  #rows<Row>(sql: string): Promise<readonly Row[]> {
    const database = new Database({ connection: this.place.system.database.connection });
    return database.query<Row>(sql).finally(() => database.close());
  }

  /** Versions of the object and its parts, newest first. */
  async versionsOf(id: string): Promise<readonly Version[]> {
    const { found } = await this.admin.ask<{ found: { nodes: Version[] } }>(
      `query ($id: ID!) { found: configurationVersions(subjectId: $id, first: 100) { nodes { ${selection} } } }`,
      { id },
    );
    return found.nodes;
  }

  /** Of all objects, newest first. */
  async deletions(): Promise<readonly Version[]> {
    const { found } = await this.admin.ask<{ found: { nodes: Version[] } }>(
      `{ found: configurationVersions(onlyDeletions: true, first: 100) { nodes { ${selection} } } }`,
    );
    return found.nodes;
  }

  /** Versions of the object without its parts, newest first. */
  async ownVersions(id: string): Promise<readonly Version[]> {
    return (await this.versionsOf(id)).filter(({ subjectId }) => subjectId === id);
  }

  async newest(id: string): Promise<Version> {
    const [version] = await this.ownVersions(id);
    if (version === undefined) throw new Error(`${id} has no version`);
    return version;
  }

  /** The token of an operator of another project. */
  async stranger(): Promise<string> {
    const { project } = await this.admin.change<{ project: { id: string } }>(
      'projectCreate',
      { name: 'elsewhere' },
      'project { id }',
    );
    const { secret } = await this.admin.change<{ secret: string }>(
      'apiTokenCreate',
      { projectId: project.id, name: 'stranger', role: 'OPERATOR' },
      'secret',
    );
    return secret;
  }

  /** An object as `export` shows it: the input that would create it. */
  async exported(type: string, id: string): Promise<JsonObject> {
    const kind = registry.kinds[type];
    if (kind === undefined) throw new Error(`no kind ${type}`);
    const { found } = await this.admin.ask<{ found: JsonObject }>(oneDocument(registry, kind), { id });
    const input = (kind.actions.create ?? kind.actions.set)?.input ?? '';
    return asInput(input, kind.output, found);
  }

  /** Runs the mutation that restores settings, and returns its payload. */
  async send(type: string, restore: Restore): Promise<JsonObject> {
    const kind = registry.kinds[type];
    const action = Object.values(kind?.actions ?? {}).find(({ mutation }) => mutation === restore.mutation);
    if (kind === undefined || action === undefined) throw new Error(`${type}: ${JSON.stringify(restore)}`);
    const document = actionDocument(registry, kind, action, { selection: '__typename' });
    const { done } = await this.admin.ask<{ done: JsonObject }>(document, { input: restore.input ?? {} });
    return done;
  }

  stop(): Promise<void> {
    return this.place.stop();
  }
}

/** Removes members that are null. */
export function compact(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((each: JsonValue) => compact(each) ?? null);
  if (!isObject(value)) return value ?? undefined;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const kept = compact(member);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(members);
}

/** A change of some settings, by kind. */
export const changes: Readonly<Record<string, JsonObject>> = {
  Project: { description: 'other' },
  Backend: { site: 'there', labels: [{ name: 'rack', value: 'b2' }], limits: { queueLimit: 7 } },
  ProjectSubnet: { name: 'renamed' },
  LoadBalancer: { description: 'other', maxNodes: 4 },
  Pool: { algorithm: 'SOURCE_IP', persistence: null },
  PoolMember: { weight: 9, tags: [] },
  PoolHealthMonitor: { intervalMs: 4_000, hostHeader: null },
  Listener: { connectionLimit: null, allowedCidrs: [] },
  L7Policy: { position: 7 },
  L7Rule: { value: 'c' },
  DnsBackend: { name: 'renamed' },
  DnsZone: { description: 'other' },
  GslbVantagePoint: { region: 'west', beacons: [] },
  GslbFlavor: { mostNames: 51, policies: ['GEO'] },
  GslbMonitor: { intervalMs: 7_000, parameters: null },
  GslbPool: { minUp: 1, quorum: { leastRegions: 1 } },
  GslbPoolMember: { weight: 4, place: null },
  Gslb: { ttlSeconds: 90, fallbackPoolId: null, noneUp: 'ALL' },
  ObjectCluster: { weight: 60, s3Urls: [] },
  ObjectOption: { replicas: 1, nearestReads: false },
  AlertRule: { severity: 'WARNING', repeatMs: null },
  AlertChannel: { enabled: false, groupMs: 2_000 },
};
