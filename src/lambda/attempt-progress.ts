/** The start of a response: what precedes its body. */
export type ResponseHead = Readonly<{
  statusCode: number;
  /** Lambda's ID of the invocation. A response without one may be from another server. */
  requestId?: string;
  /**
   * Whether that ID is ours and nothing else in the head is Lambda's. A proxy that reflects headers sends our ID too.
   */
  isReflected?: boolean;
  retryAfterSeconds?: number;
  /** The Content-Type. */
  mediaType?: string;
}>;

/** Why a response with a success status does not count as a complete response of Lambda. */
export type Flaw = 'status' | 'page' | 'encoding' | 'framing' | 'length' | 'content';

type ProgressOptions = Readonly<{ sentAs?: string | undefined; onSent?: (() => void) | undefined }>;

/**
 * How far one attempt got, recorded while it is in progress, because an error does not say it.
 * Before `sentAt`, nothing of the request has left this machine.
 */
export class AttemptProgress {
  readonly #now: () => number;
  readonly #sentAs: string | undefined;
  readonly #onSent: (() => void) | undefined;
  #sentAt: Date | undefined;
  #head: ResponseHead | undefined;
  #text: string | undefined;
  #throughProxy = false;
  #networkError: unknown;
  #flaw: Flaw | undefined;
  #streamedBytes: number | undefined;
  #clockOffsetMs: number | undefined;
  #awaitsCredentials = false;
  #undecodedBytes = 0;

  /** @param options our own id of the attempt, and what to call when the request is sent */
  constructor(now: () => number, { sentAs, onSent }: ProgressOptions = {}) {
    this.#now = now;
    this.#sentAs = sentAs;
    this.#onSent = onSent;
  }

  get sentAs(): string | undefined {
    return this.#sentAs;
  }

  /** When the request was sent, and its ID; empty if it was not sent. */
  get sent(): Readonly<{ sentAt?: Date; sentAs?: string }> {
    if (this.#sentAt === undefined) return {};
    return { sentAt: this.#sentAt, ...(this.#sentAs !== undefined && { sentAs: this.#sentAs }) };
  }

  get sentAt(): Date | undefined {
    return this.#sentAt;
  }

  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /** The body, as text, of an error response or of a response that is not Lambda's. */
  get text(): string | undefined {
    return this.#text;
  }

  /** The error of the network, before the SDK wraps it. */
  get networkError(): unknown {
    return this.#networkError;
  }

  /** Received bytes of a streamed response; undefined before its head has arrived. */
  get streamedBytes(): number | undefined {
    return this.#streamedBytes;
  }

  /** How many milliseconds AWS's clock is ahead, if the response has shown that this machine's clock is wrong. */
  get clockOffsetMs(): number | undefined {
    return this.#clockOffsetMs;
  }

  /** Whether the request waits to be signed: its credentials are being fetched. */
  get awaitsCredentials(): boolean {
    return this.#awaitsCredentials;
  }

  /** Received bytes of a stream's next event. */
  get undecodedBytes(): number {
    return this.#undecodedBytes;
  }

  get flaw(): Flaw | undefined {
    return this.#flaw;
  }

  get throughProxy(): boolean {
    return this.#throughProxy;
  }

  credentialsAwaited(): void {
    this.#awaitsCredentials = true;
  }

  credentialsFetched(): void {
    this.#awaitsCredentials = false;
  }

  connected(): void {
    if (this.#sentAt !== undefined) return;
    this.#sentAt = new Date(this.#now());
    this.#onSent?.();
  }

  viaProxy(): void {
    this.#throughProxy = true;
  }

  networkFailed(error: unknown): void {
    this.#networkError = error;
  }

  clockWasWrong(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs;
  }

  receivedHead(head: ResponseHead): void {
    this.#head = head;
  }

  receivedText(text: string): void {
    this.#text = text;
  }

  /** Records what is wrong with the response. Returns the error to throw. */
  flawFound(flaw: Flaw): Error {
    this.#flaw = flaw;
    return new Error(`flaw: ${flaw}`);
  }

  receivedRawBytes(bytes: number): void {
    this.#undecodedBytes += bytes;
  }

  /** Records an event of a stream with this many bytes of the response. 0 means that the stream has begun. */
  receivedBytes(bytes: number): void {
    this.#streamedBytes = (this.#streamedBytes ?? 0) + bytes;
    this.#undecodedBytes = 0;
  }
}
