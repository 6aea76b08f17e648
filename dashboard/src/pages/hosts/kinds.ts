// The page of hosts has no entities: it polls them. It shows the changes of the database's hosts.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = { kinds: [], others: [{ typename: 'HaCluster', word: 'the database' }] };
