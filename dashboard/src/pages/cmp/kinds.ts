// The page of a CMP object has no entities: it reads the object's tree again after changes of what devices have.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = { kinds: [], eventKinds: ['mapping.state', 'mapping.verification'] };
