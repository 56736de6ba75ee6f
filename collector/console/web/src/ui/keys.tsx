// The list of keyboard shortcuts.
import { useDesk } from "../core/desk";
import { Dialog } from "./parts";

export function Keys({ close }: { close: () => void }) {
  const { words } = useDesk();
  const k = words.keys;
  const rows: [string[], string][] = [
    [["?"], k.help],
    [["/"], k.find],
    [["g", "o"], k.overview],
    [["g", "e"], k.alerts],
    [["g", "l"], k.logs],
    [["g", "d"], k.drives],
    [["g", "p"], k.pcs],
    [["g", "a"], k.account],
    [["j"], k.rows],
    [["Enter"], k.open],
    [["Esc"], k.close],
    [["n"], k.pages],
    [["f"], k.follow],
    [["t"], k.theme],
  ];
  const also: Partial<Record<string, string>> = { j: "k", n: "p" };
  return (
    <Dialog title={k.title} close={close}>
      <table class="plain keys">
        <thead class="unseen">
          <tr>
            <th scope="col">{k.key}</th>
            <th scope="col">{k.does}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([keys, does]) => (
            <tr key={does}>
              <td>
                {keys.map((key, i) => (
                  <span key={key}>
                    {i > 0 && <span class="quiet-text"> {k.then} </span>}
                    <kbd>{key}</kbd>
                  </span>
                ))}
                {keys.length === 1 && also[keys[0] ?? ""] && (
                  <>
                    {" "}
                    <kbd>{also[keys[0] ?? ""]}</kbd>
                  </>
                )}
              </td>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
