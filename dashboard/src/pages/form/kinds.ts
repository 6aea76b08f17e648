// A form shows no changes: its stream has one rare kind of event, so that the page knows whether the server is there.
import type { Subjects } from '../../live/entity-kind.ts';

export const subjects: Subjects = { kinds: [], eventKinds: ['mapping.verification'] };
