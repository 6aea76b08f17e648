// The tables of projects and memberships. Reads through the model; writes are SQL inside the mutation's own transaction.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { Role } from '../../../platform/identity.ts';
import type { Membership, Project } from './project.ts';

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

  /** By name; the projects with these ids. */
  async page(visible: 'all' | readonly string[], request: PageRequest): Promise<readonly Project[]> {
    const name = request.after?.[0];
    return this.#db.prisma.project.findMany({
      where: {
        ...(visible === 'all' ? {} : { id: { in: [...visible] } }),
        ...(name === undefined ? {} : { name: { gt: name } }),
      },
      orderBy: { name: 'asc' },
      take: request.take,
    });
  }

  /** Oldest account first. */
  async members(projectId: string, request: PageRequest): Promise<readonly Membership[]> {
    const userId = request.after?.[0];
    const rows = await this.#db.prisma.membership.findMany({
      where: { projectId, ...(userId === undefined ? {} : { userId: { gt: userId } }) },
      orderBy: { userId: 'asc' },
      take: request.take,
    });
    return rows.map((row) => ({ ...row, role: row.role as Role }));
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
      'SELECT id, version, name, description, created_at AS createdAt FROM project WHERE id = ? FOR UPDATE',
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
    await tx.execute('UPDATE project SET description = ?, version = version + 1 WHERE id = ?', [description, id]);
  }

  /** With its memberships and API tokens. */
  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.execute('DELETE FROM project WHERE id = ?', [id]);
  }

  /** A user's role; the project must be locked. */
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
    await tx.execute('UPDATE project SET version = version + 1 WHERE id = ?', [projectId]);
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
