// A backend on the command line, as calls and reads select it: by id or by name. The server validates it.
import { decodeUuid } from '../platform/values/ids.ts';

export function backendSelector(nameOrId: string): { readonly id: string } | { readonly name: string } {
  return decodeUuid('Backend', nameOrId) === undefined ? { name: nameOrId } : { id: nameOrId };
}
