"""The measures, a file a kind of result; :data:`jc3d.evaluate.rules.MEASURES` says what each is."""
