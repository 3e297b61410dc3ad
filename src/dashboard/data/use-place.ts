/** The page's address as state. */
import { useEffect, useState } from "preact/hooks";
import { type PageView, placeHash, readPlace } from "./place.ts";

export function usePlace(): [PageView, (place: PageView) => void] {
  const [place, setPlace] = useState(() => readPlace(location.hash));
  useEffect(() => {
    const moved = (): void => setPlace(readPlace(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const go = (to: PageView): void => {
    location.hash = placeHash(to);
  };
  return [place, go];
}
