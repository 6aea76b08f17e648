// `tidegate users`.
import { kindNoun } from '../../kinds/noun.ts';

export const users = kindNoun('User');
