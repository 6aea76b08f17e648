// The page of one backend has no entities: it reads the backend again after changes of backends and of what they have.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = {
  kinds: [],
  eventKinds: [
    'backend.operatingStatus',
    'backend.circuit',
    'backend.identity',
    'mapping.state',
    'mapping.verification',
  ],
};
