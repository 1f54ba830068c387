# A course in Wagtail LMS: run in the folder of a fresh Wagtail project with the package's path, makes its settings, its learner and its
# page, and says the path of the player.
import os
import subprocess
import sys
from pathlib import Path

package = sys.argv[1]
base = Path("school/settings/base.py")
text = base.read_text()
if "wagtail_lms" not in text:
    base.write_text(text.replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "wagtail_lms",', 1) + '\nLOGIN_URL = "wagtailadmin_login"\n')
    urls = Path("school/urls.py")
    urls.write_text(urls.read_text().replace("urlpatterns = [", 'urlpatterns = [\n    path("lms/", include("wagtail_lms.urls")),', 1))
os.environ["DJANGO_SETTINGS_MODULE"] = "school.settings.dev"
subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
sys.path.insert(0, ".")

import django

django.setup()

from django.contrib.auth import get_user_model
from django.core.files import File
from wagtail.models import Page
from wagtail_lms.models import CoursePage, SCORMLessonPage, SCORMPackage

if not get_user_model().objects.filter(username="ada").exists():
    get_user_model().objects.create_superuser("ada", "ada@school.example", "ada")
with open(package, "rb") as file:
    made = SCORMPackage(title="Lesson", package_file=File(file, name="lesson.zip"))
    made.save()
course = Page.objects.get(depth=2).add_child(instance=CoursePage(title=f"Course {made.pk}"))
lesson = course.add_child(instance=SCORMLessonPage(title="Lesson", scorm_package=made))
print(f"{lesson.pk} {made.launch_url}")
