// The reason why a host is not admitted, or a cluster is not started.

/** `code`: the code of the refusal. */
export class JoinRefusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'JoinRefusal';
    this.code = code;
  }
}
