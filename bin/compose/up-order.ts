// The command line of `up`.

export interface UpOrder {
  /** Absolute. */
  readonly dataPath: string;
  readonly withLab: boolean;
  readonly port: string | undefined;
  readonly host: string | undefined;
  /** Of the settings. */
  readonly file: string | undefined;
  /** Of the log. */
  readonly level: string | undefined;
}
