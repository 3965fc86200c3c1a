import { submit, without, type SignInStatus } from "../api/client";
import { forgetHere } from "../state/forget";
import { unsent } from "../state/store";
import { takeTexts } from "../texts/take";
import { Trouble, useAttempt } from "./attempt";
import { Confirm } from "./confirm";

const text = takeTexts.google;

/**
 * Who is signed in, and the button to sign out, which leaves nothing of them in this browser. A session goes on where Google
 * has ended schedgen's access, so the button is there, too. It calls left when they are signed out.
 */
export function SignedIn({ status, left }: { status: SignInStatus; left: () => void }) {
  const attempt = useAttempt();
  if (!status.authenticated && !status.signInAgain) return null;
  const signOut = () =>
    attempt.start(async () => {
      await submit("/api/auth/logout", { method: "POST", body: {} }).catch(without(401, undefined)); // signed out already
      await forgetHere(); // the next person at this browser must not see it
      left();
    });
  return (
    <>
      <div class="account">
        <p class="soft">{text.as(status.user?.email ?? status.email ?? "")}</p>
        <Confirm
          ask={text.signOut}
          question={text.signOutAsk(unsent.value)}
          yes={text.signOutYes}
          no={text.no}
          disabled={attempt.busy}
          confirmed={signOut}
        />
      </div>
      <Trouble attempt={attempt} />
    </>
  );
}
