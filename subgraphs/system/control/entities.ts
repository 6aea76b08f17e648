// The only way from an id to an object of this subgraph: batched, and only objects that the caller may see. Queries, payloads,
// `node`, entity references and status events all use it, so that none can forget the check.

import { allows, type RequestContext } from '../../../platform/caller/identity.ts';
import { caller, maySee } from '../../../platform/input/authorise.ts';
import { loader } from '../../../platform/pages/loader.ts';
import type { HaCluster, HaMove } from '../../../platform/process/ha-cluster.ts';
import type { Alert } from './stores/alert.ts';
import type { AlertChannel } from './stores/alert-channel.ts';
import type { AlertChannelStore } from './stores/alert-channel-store.ts';
import type { AlertRule } from './stores/alert-rule.ts';
import type { AlertRuleStore } from './stores/alert-rule-store.ts';
import { seesScope } from './stores/alert-scope.ts';
import type { AlertStore } from './stores/alert-store.ts';
import type { ApiToken } from './stores/api-token.ts';
import type { Machine } from './stores/machine.ts';
import type { MachineStore } from './stores/machine-store.ts';
import type { Project } from './stores/project.ts';
import type { ProjectStore } from './stores/project-store.ts';
import type { PublishedOperation } from './stores/published-operation.ts';
import type { PublishedOperationStore } from './stores/published-operation-store.ts';
import type { TokenStore } from './stores/token-store.ts';
import type { User } from './stores/user.ts';
import type { UserStore } from './stores/user-store.ts';

const projectRows = Symbol('projects by id');
const userRows = Symbol('users by id');
const tokenRows = Symbol('API tokens by id');
const machineRows = Symbol('machines by id');
const publishedRows = Symbol('published operations by id');
const moveRows = Symbol('moves of the primary by id');
const alertRows = Symbol('alerts by id');
const alertRuleRows = Symbol('alert rules by id');
const alertChannelRows = Symbol('alert channels by id');
const sharedUsers = Symbol('users who share a project with the caller');

interface EntitiesOptions {
  /** Node types of other subgraphs. */
  readonly elsewhere: ReadonlySet<string>;
  readonly projects: ProjectStore;
  readonly users: UserStore;
  readonly tokens: TokenStore;
  readonly machines: MachineStore;
  readonly published: PublishedOperationStore;
  readonly alerts: AlertStore;
  readonly alertRules: AlertRuleStore;
  readonly alertChannels: AlertChannelStore;
  /** Undefined if the database has no hosts of its own. */
  readonly cluster: HaCluster | undefined;
}

/** Ids are UUIDs. The result is undefined if there is no such object, or if the caller may not see it. */
export class Entities {
  readonly elsewhere: ReadonlySet<string>;
  readonly #projects: ProjectStore;
  readonly #users: UserStore;
  readonly #tokens: TokenStore;
  readonly #machines: MachineStore;
  readonly #published: PublishedOperationStore;
  readonly #alerts: AlertStore;
  readonly #alertRules: AlertRuleStore;
  readonly #alertChannels: AlertChannelStore;
  readonly #cluster: HaCluster | undefined;

  constructor(options: EntitiesOptions) {
    this.elsewhere = options.elsewhere;
    this.#projects = options.projects;
    this.#users = options.users;
    this.#tokens = options.tokens;
    this.#machines = options.machines;
    this.#published = options.published;
    this.#alerts = options.alerts;
    this.#alertRules = options.alertRules;
    this.#alertChannels = options.alertChannels;
    this.#cluster = options.cluster;
  }

  /** Members and administrators see a project. */
  async project(context: RequestContext, id: string): Promise<Project | undefined> {
    if (!maySee(caller(context), id)) return undefined;
    return loader(context, projectRows, id, (ids) => this.#projects.byIds(ids));
  }

  /** Administrators, the user and members of a common project see a user. */
  async user(context: RequestContext, id: string): Promise<User | undefined> {
    const identity = caller(context);
    if (!identity.admin && identity.id !== id) {
      const projects = Object.keys(identity.projects);
      const shares = await loader(context, sharedUsers, id, async (ids) => {
        const found = await this.#projects.membersAmong(ids, projects);
        return new Map([...found].map((user) => [user, true]));
      });
      if (shares !== true) return undefined;
    }
    return loader(context, userRows, id, (ids) => this.#users.byIds(ids));
  }

  /** Administrators and the project's operators see a token. */
  async apiToken(context: RequestContext, id: string): Promise<ApiToken | undefined> {
    const identity = caller(context);
    const token = await loader(context, tokenRows, id, (ids) => this.#tokens.byIds(ids));
    return token !== undefined && allows(identity, token.projectId, 'OPERATOR') ? token : undefined;
  }

  /** Administrators see a machine. */
  async machine(context: RequestContext, id: string): Promise<Machine | undefined> {
    if (!caller(context).admin) return undefined;
    return loader(context, machineRows, id, (ids) => this.#machines.byIds(ids));
  }

  /** Administrators see a published operation. */
  async publishedOperation(context: RequestContext, id: string): Promise<PublishedOperation | undefined> {
    if (!caller(context).admin) return undefined;
    return loader(context, publishedRows, id, (ids) => this.#published.byIds(ids));
  }

  /** Administrators see moves of the primary. */
  async haMove(context: RequestContext, id: string): Promise<HaMove | undefined> {
    const cluster = this.#cluster;
    if (!caller(context).admin || cluster === undefined) return undefined;
    return loader(context, moveRows, id, async () => new Map((await cluster.moves()).map((move) => [move.id, move])));
  }

  /** Members of its project and administrators see an alert. */
  async alert(context: RequestContext, id: string): Promise<Alert | undefined> {
    const alert = await loader(context, alertRows, id, (ids) => this.#alerts.byIds(ids));
    return alert !== undefined && seesScope(caller(context), alert.projectId) ? alert : undefined;
  }

  /** Members of its project and administrators see an alert rule. */
  async alertRule(context: RequestContext, id: string): Promise<AlertRule | undefined> {
    const rule = await loader(context, alertRuleRows, id, (ids) => this.#alertRules.byIds(ids));
    return rule !== undefined && seesScope(caller(context), rule.projectId) ? rule : undefined;
  }

  /** Operators of its project and administrators see an alert channel. */
  async alertChannel(context: RequestContext, id: string): Promise<AlertChannel | undefined> {
    const identity = caller(context);
    const channel = await loader(context, alertChannelRows, id, (ids) => this.#alertChannels.byIds(ids));
    if (channel === undefined) return undefined;
    const { projectId } = channel;
    return (projectId === null ? identity.admin : allows(identity, projectId, 'OPERATOR')) ? channel : undefined;
  }
}
