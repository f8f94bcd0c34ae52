import { fieldsOf } from '../shared/values.ts';
import type { AttemptProgress } from './attempt-progress.ts';
import { CredentialTrail } from './credentials.ts';
import type { Request } from './exchange.ts';

/** A request that is about to be sent. */
type RequestStart = Readonly<{
  kind: 'request';
  method: string;
  url: string;
  /** The source of its credentials. */
  credentials: string;
}>;

/** A request that has ended. Without a status there was no response. */
type RequestEnd = Readonly<{
  kind: 'end';
  operation: string;
  /** The function or the execution of the request. */
  target: string;
  ms: number;
  sentAt: Date | undefined;
  statusCode: number | undefined;
  requestId: string | undefined;
  /** The code of an error of the network. */
  error: string | undefined;
  throughProxy: boolean;
}>;

/** What a client does, for debug logging. Never contains a payload, a response or a credential. */
export type ClientActivity = RequestStart | RequestEnd;

type SentCommand = Readonly<{ constructor: Readonly<{ name: string }>; input: object }>;

/** Watches the requests of a client, and passes on the facts that debug logging can show. */
export class ActivityWatch {
  readonly #report: (activity: ClientActivity) => void;

  constructor(tell: (activity: ClientActivity) => void) {
    this.#report = tell;
  }

  /** Reports that a request is about to be sent. The client's logger knows the source of the credentials. */
  request({ method, protocol, hostname, port, path }: Request, logger: unknown): void {
    const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
    const credentials = logger instanceof CredentialTrail ? logger.source : 'the credential chain';
    this.#report({ kind: 'request', method, url, credentials });
  }

  /** Reports that a command has ended, whether or not a request was sent for it. */
  end({ constructor: type, input }: SentCommand, progress: AttemptProgress, ms: number): void {
    const { sentAt, head, networkError, throughProxy } = progress;
    const { FunctionName: functionName, DurableExecutionArn: arn } = fieldsOf(input);
    const { code } = fieldsOf(networkError);
    this.#report({
      kind: 'end',
      operation: type.name.replace(/Command$/, ''),
      target: String(functionName ?? arn),
      ms,
      sentAt,
      statusCode: head?.statusCode,
      requestId: head?.requestId,
      error: typeof code === 'string' ? code : undefined,
      throughProxy,
    });
  }
}
