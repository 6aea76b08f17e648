// The tables of projects and memberships. Reads through the model; writes are SQL inside the mutation's own transaction.

import type { Role } from '../../../../platform/caller/identity.ts';
import {
  always,
  type Condition,
  type Database,
  type Sql,
  type Transaction,
} from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { allOf, is, isOneOf } from '../../../../platform/database/range-search.ts';
import type { Page, PageRequest } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import type { Membership, Project } from './project.ts';

/** The column of the side whose memberships are read. */
export type MembershipSide = 'project_id' | 'user_id';

const membershipSides = {
  project_id: { index: 'PRIMARY', key: 'user_id' },
  user_id: { index: 'membership_user_idx', key: 'project_id' },
} as const;

/** A caller sees only its own projects. The range of each is its row, or is empty. */
const projectList: ListTable = {
  ...{ table: 'project', name: 'name', shown: always, project: 'id' },
  all: { time: 'PRIMARY', name: 'project_list_idx' },
  ofProject: { time: 'PRIMARY', name: 'PRIMARY' },
};

export class ProjectStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Project>> {
    const rows = await this.#db.prisma.project.findMany({ where: { id: { in: [...ids] } } });
    return new Map(rows.map((row) => [row.id, row]));
  }

  async byName(name: string): Promise<Project | undefined> {
    return (await this.#db.prisma.project.findUnique({ where: { name } })) ?? undefined;
  }

  page(filter: ListFilter): Promise<Page<Project>> {
    return pageOfList(this.#db, projectList, filter, (ids) => this.byIds(ids));
  }

  /** The first projects by name. */
  async firstOf(visible: 'all' | readonly string[], most: number): Promise<readonly Project[]> {
    return this.#db.prisma.project.findMany({
      where: visible === 'all' ? {} : { id: { in: [...visible] } },
      orderBy: { name: 'asc' },
      take: most,
    });
  }

  /** By project or user, in the order of the other side's ids. */
  async membershipsOf(
    side: MembershipSide,
    parents: readonly string[],
    { take, after }: PageRequest,
    visible: 'all' | readonly string[],
  ): Promise<ReadonlyMap<string, readonly Membership[]>> {
    const { index, key } = membershipSides[side];
    return rowsOfParents<Membership>(this.#db, parents, {
      ...{ table: 'membership', index, key, order: 'ASC', take, after: after?.[0] },
      columns: 'project_id AS projectId, user_id AS userId, role, created_at AS createdAt',
      ranges: membershipRanges(side, visible),
    });
  }

  async membershipCounts(
    side: MembershipSide,
    parents: readonly string[],
    visible: 'all' | readonly string[],
  ): Promise<ReadonlyMap<string, number | null>> {
    const { index } = membershipSides[side];
    return countsOfParents(this.#db, parents, { table: 'membership', index, ranges: membershipRanges(side, visible) });
  }

  /** The users that belong to one of the projects. */
  async membersAmong(userIds: readonly string[], projectIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#db.prisma.membership.findMany({
      where: { userId: { in: [...userIds] }, projectId: { in: [...projectIds] } },
      select: { userId: true },
      distinct: ['userId'],
    });
    return new Set(rows.map((row) => row.userId));
  }

  async membership(projectId: string, userId: string): Promise<Membership | undefined> {
    const row = await this.#db.prisma.membership.findUnique({ where: { projectId_userId: { projectId, userId } } });
    return row === null ? undefined : { ...row, role: row.role as Role };
  }

  /** Locks the project until the transaction ends. */
  async lock(tx: Transaction, id: string): Promise<Project | undefined> {
    const rows = await tx.query<Project>(
      'SELECT id, version, name, description, created_at AS createdAt, updated_at AS updatedAt FROM project WHERE id = ? FOR UPDATE',
      [id],
    );
    return rows[0];
  }

  /** Throws the database's duplicate key error when the name is taken. */
  async insert(tx: Transaction, project: { id: string; name: string; description: string }): Promise<void> {
    await tx.execute('INSERT INTO project (id, name, description) VALUES (?, ?, ?)', [
      project.id,
      project.name,
      project.description,
    ]);
  }

  async describe(tx: Transaction, id: string, description: string): Promise<void> {
    await tx.execute('UPDATE project SET description = ?, version = version + 1, updated_at = NOW(3) WHERE id = ?', [
      description,
      id,
    ]);
  }

  /** Deletes its memberships and API tokens too. */
  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.execute('DELETE FROM project WHERE id = ?', [id]);
  }

  /** A user's role. The project must be locked. */
  async roleOf(tx: Transaction, projectId: string, userId: string): Promise<Role | undefined> {
    const rows = await tx.query<{ role: Role }>('SELECT role FROM membership WHERE project_id = ? AND user_id = ?', [
      projectId,
      userId,
    ]);
    return rows[0]?.role;
  }

  async countMemberships(tx: Transaction, userId: string): Promise<number> {
    const rows = await tx.query<{ count: number }>('SELECT COUNT(*) AS count FROM membership WHERE user_id = ?', [
      userId,
    ]);
    return rows[0]?.count ?? 0;
  }

  /** Sets or (null) ends a membership. This is a change of the project and increments its version. */
  async setRole(tx: Transaction, projectId: string, userId: string, role: Role | null): Promise<void> {
    await tx.execute('UPDATE project SET version = version + 1, updated_at = NOW(3) WHERE id = ?', [projectId]);
    if (role === null) {
      await tx.execute('DELETE FROM membership WHERE project_id = ? AND user_id = ?', [projectId, userId]);
      return;
    }
    await tx.execute(
      'INSERT INTO membership (project_id, user_id, role) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE role = VALUES(role)',
      [projectId, userId, role],
    );
  }
}

/** For a history of its settings. */
export async function readProjectInside(
  sql: Sql,
  id: string,
): Promise<Pick<Project, 'name' | 'description'> | undefined> {
  const rows = await sql.query<Pick<Project, 'name' | 'description'>>(
    'SELECT name, description FROM project WHERE id = ?',
    [id],
  );
  return rows[0];
}

/** In the order of the index. */
function membershipRanges(
  side: MembershipSide,
  visible: 'all' | readonly string[],
): (parent: string) => readonly Condition[] {
  return (parent) => [
    allOf([is(side, parent), visible === 'all' ? undefined : isOneOf('project_id', visible)]) ?? always,
  ];
}
