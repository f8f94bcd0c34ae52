/** The start of an answer: what came before its body, or instead of Lambda's own. */
export type Head = Readonly<{
  statusCode: number;
  /** Lambda's id of the invocation; an answer without one may be somebody else's. */
  requestId?: string;
  retryAfterSeconds?: number;
  /** What the answer says that its body is. */
  mediaType?: string;
}>;

/**
 * How far one attempt came, noted while it is under way, because an error alone does not tell.
 * Before `sentAt` nothing of the request had left this machine.
 */
export class Progress {
  readonly #now: () => number;
  #sentAt: Date | undefined;
  #head: Head | undefined;
  #text: string | undefined;
  #throughProxy = false;
  #networkError: unknown;
  #streamedBytes: number | undefined;
  #clockOffsetMs: number | undefined;
  #awaitsCredentials = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  get sentAt(): Date | undefined {
    return this.#sentAt;
  }

  get head(): Head | undefined {
    return this.#head;
  }

  /** The body of an answer that is no success, as text. */
  get text(): string | undefined {
    return this.#text;
  }

  /** What the network threw, before the SDK made anything of it. */
  get networkError(): unknown {
    return this.#networkError;
  }

  /** Bytes of a streamed response that have come; undefined before its head has. */
  get streamedBytes(): number | undefined {
    return this.#streamedBytes;
  }

  /** How much later it is for AWS than for this machine, where an answer has just shown that its clock is wrong. */
  get clockOffsetMs(): number | undefined {
    return this.#clockOffsetMs;
  }

  /** Whether the request waits to be signed: its credentials are being fetched. */
  get awaitsCredentials(): boolean {
    return this.#awaitsCredentials;
  }

  get throughProxy(): boolean {
    return this.#throughProxy;
  }

  credentialsAwaited(): void {
    this.#awaitsCredentials = true;
  }

  credentialsCame(): void {
    this.#awaitsCredentials = false;
  }

  connectionStands(): void {
    this.#sentAt ??= new Date(this.#now());
  }

  proxyIsUsed(): void {
    this.#throughProxy = true;
  }

  networkFailed(error: unknown): void {
    this.#networkError = error;
  }

  clockWasWrong(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs;
  }

  headCame(head: Head): void {
    this.#head = head;
  }

  textCame(text: string): void {
    this.#text = text;
  }

  streamCame(bytes: number): void {
    this.#streamedBytes = (this.#streamedBytes ?? 0) + bytes;
  }
}
