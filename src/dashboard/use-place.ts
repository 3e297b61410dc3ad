/** The page's address as state. */
import { useEffect, useState } from "preact/hooks";
import { type Place, placeHash, readPlace } from "./place.ts";

export function usePlace(): [Place, (place: Place) => void] {
  const [place, setPlace] = useState(() => readPlace(location.hash));
  useEffect(() => {
    const moved = (): void => setPlace(readPlace(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const go = (to: Place): void => {
    location.hash = placeHash(to);
  };
  return [place, go];
}
