// A machine, as passed to resolvers: everything but its secrets.

export interface Machine {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly role: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly joinedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

type MachineState = 'INVITED' | 'JOINED' | 'REVOKED';

export function stateOf({ revokedAt, joinedAt }: Pick<Machine, 'revokedAt' | 'joinedAt'>): MachineState {
  if (revokedAt !== null) return 'REVOKED';
  return joinedAt === null ? 'INVITED' : 'JOINED';
}
