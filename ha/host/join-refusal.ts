// Why a host is not admitted, or a cluster is not begun.

/** `code`: the refusal's. */
export class JoinRefusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'JoinRefusal';
    this.code = code;
  }
}
