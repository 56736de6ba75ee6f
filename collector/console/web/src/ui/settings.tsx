// Language and colours: at the door and at the foot of the desk.
import type { Settings, Theme } from "../app";
import { useWords } from "../core/desk";
import type { Language } from "../words";

export function SettingsBar({ settings }: { settings: Settings }) {
  const { words } = useWords();
  return (
    <div class="settings">
      <select
        aria-label={words.app.language}
        value={settings.language}
        onChange={(e) => settings.setLanguage(e.currentTarget.value as Language)}
      >
        <option value="ja" lang="ja">
          日本語
        </option>
        <option value="en" lang="en">
          English
        </option>
      </select>
      <select aria-label={words.app.theme} value={settings.theme} onChange={(e) => settings.setTheme(e.currentTarget.value as Theme)}>
        <option value="auto">{words.app.themeAuto}</option>
        <option value="light">{words.app.themeLight}</option>
        <option value="dark">{words.app.themeDark}</option>
      </select>
    </div>
  );
}
