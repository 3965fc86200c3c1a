import { scriptAddress } from "./trusted";

/** Registers the service worker of a built page. Without one the page works, but only with a network. */
export function registerWorker(): void {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  const start = () => void navigator.serviceWorker.register(scriptAddress("/sw.js")).catch(() => undefined);
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
}
