// Pages of memberships, of a project or of a user. The pages of a whole list are read together, in one statement.

import { type RequestContext, visibleProjects } from '../../../../platform/caller/identity.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { type Page, type PageArguments, pageItems } from '../../../../platform/pages/connection.ts';
import { pageOf } from '../../../../platform/pages/page-loader.ts';
import type { Membership } from '../stores/project.ts';
import type { MembershipSide, ProjectStore } from '../stores/project-store.ts';

const ofProjects = Symbol('memberships of projects');
const ofUsers = Symbol('memberships of users');

export class MembershipPages {
  readonly #projects: ProjectStore;

  constructor(projects: ProjectStore) {
    this.#projects = projects;
  }

  /** Oldest account first. */
  ofProject(context: RequestContext, id: string, args: PageArguments): Promise<Page<Membership>> {
    const own = { side: 'project_id', visible: 'all', keyOf: ({ userId }: Membership) => [userId] } as const;
    return this.#page(context, ofProjects, id, args, own);
  }

  /** Only for projects that the caller may see. The oldest project comes first. */
  ofUser(context: RequestContext, id: string, args: PageArguments): Promise<Page<Membership>> {
    const visible = visibleProjects(caller(context));
    const own = { side: 'user_id', visible, keyOf: ({ projectId }: Membership) => [projectId] } as const;
    return this.#page(context, ofUsers, id, args, own);
  }

  #page(
    context: RequestContext,
    owner: symbol,
    id: string,
    args: PageArguments,
    of: {
      readonly side: MembershipSide;
      readonly visible: 'all' | readonly string[];
      readonly keyOf: (row: Membership) => readonly string[];
    },
  ): Promise<Page<Membership>> {
    const { side, visible, keyOf } = of;
    return pageOf<Membership>(
      context,
      owner,
      id,
      args,
      async (parents, request) => {
        const rows = await this.#projects.membershipsOf(side, parents, request, visible);
        return new Map(parents.map((parent) => [parent, pageItems(rows.get(parent) ?? [], request.first, keyOf)]));
      },
      (parents) => this.#projects.membershipCounts(side, parents, visible),
    );
  }
}
