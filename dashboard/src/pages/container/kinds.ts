// The page of a container has no entities, and objects have no events: its stream has one rare kind, so that the page knows whether the server is
// there.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = { kinds: [], eventKinds: ['objectAccessKey.state'] };
