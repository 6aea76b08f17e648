// The page follows the backend that it registered.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = {
  kinds: [],
  eventKinds: ['backend.operatingStatus', 'backend.circuit', 'backend.identity'],
};
