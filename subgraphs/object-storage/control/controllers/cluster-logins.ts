// Logins of users at a cluster. The controller passes on the user's credentials, and gets back who the user is and which accounts they may
// read or write. The check is the same as for other logins (platform/caller/access.ts): attempts count together with those at the graph and are in
// the audit trail.

import type { CheckLogin } from '../../../../platform/caller/access.ts';
import { allows, type Identity } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { type NamedProject, projectsNamed } from '../../../../platform/edge/projects.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { mostAccounts } from '../../wire/cluster-tokens.ts';
import { accountKey } from '../../wire/documents/documents.ts';
import type { ControlPlaneAnswer, Grant, LoginQuestion } from '../../wire/login-wire.ts';
import { accountsOf, needAccount, projectsWithAccounts } from '../stores/account-store.ts';
import { lockFederation } from '../stores/federation-store.ts';

interface ClusterLoginsOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly checkLogin: CheckLogin;
}

interface Project extends NamedProject {
  /** UUID. Null if the project has no account yet. */
  readonly account: string | null;
}

const uuids = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export class ClusterLogins {
  readonly #options: ClusterLoginsOptions;

  constructor(options: ClusterLoginsOptions) {
    this.#options = options;
  }

  /** `controller`: the name of the machine that asks, and the UUID of its cluster. */
  async answer(
    question: LoginQuestion,
    controller: { readonly name: string; readonly clusterId: string },
    signal: AbortSignal,
  ): Promise<ControlPlaneAnswer> {
    const { credentials, address, project } = question;
    const { name, clusterId } = controller;
    const origin = { address, toldBy: `object storage ${clusterId}`, via: `object storage, controller ${name}` };
    const checked = await this.#options.checkLogin(credentials, origin, signal);
    if ('refused' in checked) return checked;
    const { identity } = checked;
    const projects = await this.#projects(identity, project);
    if (project !== undefined && projects.length === 0)
      return refused(`you have no project ${JSON.stringify(project)}: name one of yours`);
    if (projects.length > mostAccounts)
      return refused(`you have more than ${mostAccounts} projects: name the one to use`);
    const grants = await this.#grants(identity, projects, project !== undefined);
    if (grants.length === 0)
      return refused('none of your projects has objects: name one that you may change, or ask one of its operators');
    return { user: { id: identity.id, name: identity.name }, grants };
  }

  /** Projects of the caller that may be meant. For an administrator who names none: those that have an account. */
  async #projects(identity: Identity, named: string | undefined): Promise<readonly Project[]> {
    const { db } = this.#options;
    const found = await projectsNamed(db, await this.#wanted(identity, named));
    const own = found.filter(({ id }) => allows(identity, id, 'VIEWER'));
    const accounts = await accountsOf(
      db,
      own.map(({ id }) => id),
    );
    return own.map((project) => ({ ...project, account: accounts.get(project.id)?.id ?? null }));
  }

  async #wanted(identity: Identity, named: string | undefined): Promise<Parameters<typeof projectsNamed>[1]> {
    if (named !== undefined) {
      const uuid = uuids.test(named) ? named : decodeUuid('Project', named);
      return uuid === undefined ? { name: named } : { ids: [uuid] };
    }
    if (!identity.admin) return { ids: Object.keys(identity.projects).slice(0, mostAccounts + 1) };
    return { ids: await projectsWithAccounts(this.#options.db, mostAccounts + 1) };
  }

  /** Creates the project's account for the first caller who may write. Without an account there is nothing to read. */
  async #grants(identity: Identity, projects: readonly Project[], isNamed: boolean): Promise<readonly Grant[]> {
    const { db, wake } = this.#options;
    const canWrite = ({ id }: Project) => allows(identity, id, 'OPERATOR');
    const lacking = projects.filter((each) => each.account === null && canWrite(each) && (isNamed || !identity.admin));
    const made = new Map<string, string>();
    if (lacking.length > 0)
      await db.transaction(async (tx) => {
        await lockFederation(tx);
        for (const { id } of lacking) made.set(id, await needAccount(tx, wake, id));
      });
    return projects.flatMap((project) => {
      const account = project.account ?? made.get(project.id);
      if (account === undefined) return [];
      const { id: projectId, name } = project;
      return [{ account: accountKey(account), projectId, project: name, canWrite: canWrite(project) }];
    });
  }
}

function refused(message: string): ControlPlaneAnswer {
  return { refused: { code: 'NO_PROJECT', message } };
}
