import type { OnChunk } from '../lambda/stream.ts';
import { writeForeign } from '../report/foreign-text.ts';
import type { SavedResponse } from '../report/saved-response.ts';
import type { StepParts } from './parts.ts';

/** Receives a streamed response. */
export type ResponseSink = Readonly<{
  /** Whether the log shows the response as it arrives. */
  isShown: boolean;
  take: OnChunk;
  end: (options: { isWhole: boolean }) => Promise<SavedResponse | undefined>;
}>;

type SinkParts = Pick<StepParts, 'plan' | 'secrets' | 'guard'> & Readonly<{ file: string }>;

/** Writes the response of the single invocation that streams into its file, and with show_response into the log. */
export async function createResponseSink(parts: SinkParts): Promise<ResponseSink | undefined> {
  const { plan, secrets, guard, file } = parts;
  if (!plan.responseStream) return undefined;
  const [{ LiveResponse }, { StreamedResponse }] = await Promise.all([
    import('../report/live-response.ts'),
    import('../report/saved-response.ts'),
  ]);
  const response = new StreamedResponse(file);
  // Masks can be applied only to the whole response.
  const live =
    plan.showResponse && plan.expressions.mask.length === 0
      ? new LiveResponse((text) => secrets.hide(text))
      : undefined;
  const show = (lines = ''): void => {
    if (lines !== '') writeForeign(lines);
  };
  let saved: Promise<SavedResponse | undefined> | undefined;
  return {
    isShown: live !== undefined,
    take: async (chunk) => {
      show(live?.next(chunk));
      await response.take(chunk);
    },
    end: ({ isWhole }) => {
      saved ??= guard.run('response', () => {
        show(live?.end());
        return response.end({ isWhole });
      });
      return saved;
    },
  };
}
